//! OSPF: ours among FRR 10.3 and BIRD, both versions.

mod ospf {
    mod areas;
    mod borders;
    mod family;
    mod family_restart;
    mod filters;
    mod hostile;
    mod instances;
    mod keys;
    mod kinds;
    mod mirror;
    mod reduction;
    mod restart;
    mod scale;
    mod show;
    mod speak;
    mod te;
    mod vrf;
}
