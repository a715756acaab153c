// Joined with a product that reads its images as they are.
alias Reading = u32;

fn reading_of(channel: u32) -> Reading { return channel; }

fn read_by(reading: Reading, x: V, inside: bool) -> V { return select(V(), x, inside); }
