//! OSPFv2 and OSPFv3 without IO.
