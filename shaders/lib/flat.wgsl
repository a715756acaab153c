// Flat index of an invocation when workgroups are folded into y past 65,535 (Device.groups).
fn flat_id(group: vec3u, groups: vec3u, local: u32, size: u32) -> u32 {
  return (group.y * groups.x + group.x) * size + local;
}
