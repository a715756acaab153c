// Joined with a product that reads its images as they are.
fn as_read(channel: u32, value: V) -> V { return value; }
