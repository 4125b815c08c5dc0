//! Random histories: links fail and heal, costs change, routers restart, packets are lost, repeated, reordered and damaged.
