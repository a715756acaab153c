// Joined with a product that reads its images as they are.
fn as_read(channel: u32, value: vec4f) -> vec4f { return value; }
