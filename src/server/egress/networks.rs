//! Tells addresses of the public internet from private, local and reserved ones.
//!
//! Based on IANA's registries of special-purpose addresses. The tests compare it with the standard library, whose own
//! `is_global` is not stable.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// IPv4 blocks without public servers.
const SPECIAL_V4: [Ipv4Net; 16] = [
    v4([0, 0, 0, 0], 8),        // "this network"
    v4([10, 0, 0, 0], 8),       // private
    v4([100, 64, 0, 0], 10),    // shared by customers of a provider (CGNAT)
    v4([127, 0, 0, 0], 8),      // loopback
    v4([168, 63, 129, 16], 32), // public, but inside Azure it is the host of the virtual machine
    v4([169, 254, 0, 0], 16),   // link-local, with the clouds' metadata services
    v4([172, 16, 0, 0], 12),    // private
    v4([192, 0, 0, 0], 24),     // assignments of the IETF
    v4([192, 0, 2, 0], 24),     // documentation
    v4([192, 88, 99, 0], 24),   // relays of 6to4
    v4([192, 168, 0, 0], 16),   // private
    v4([198, 18, 0, 0], 15),    // benchmarks
    v4([198, 51, 100, 0], 24),  // documentation
    v4([203, 0, 113, 0], 24),   // documentation
    v4([224, 0, 0, 0], 4),      // multicast
    v4([240, 0, 0, 0], 4),      // reserved, with the broadcast address
];
/// Contains all public IPv6 servers, so loopback, link-local, ULA and multicast need no entries.
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);
/// Blocks within it without public servers.
const SPECIAL_V6: [Ipv6Net; 3] = [
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),     // assignments of the IETF, with Teredo
    v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), // documentation
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),     // documentation
];

const fn v4([a, b, c, d]: [u8; 4], prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6([a, b, c, d, e, f, g, h]: [u16; 8], prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), prefix)
}

/// Whether an address belongs to the public internet. An IPv6 address that embeds an IPv4 address is treated as that.
pub(super) fn is_public(address: IpAddr) -> bool {
    match effective_address(address) {
        IpAddr::V4(address) => !SPECIAL_V4.iter().any(|block| block.contains(&address)),
        IpAddr::V6(address) => GLOBAL_V6.contains(&address) && !SPECIAL_V6.iter().any(|block| block.contains(&address)),
    }
}

/// The IPv4 address that an IPv6 address embeds, otherwise the address itself.
pub(super) fn effective_address(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    match v6.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] // mapped
        | [0, 0, 0, 0, 0xffff, 0, high, low] // translated (RFC 2765)
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low] // NAT64
        | [0x2002, high, low, ..] // 6to4
        => IpAddr::V4(Ipv4Addr::from_bits((u32::from(high) << 16) | u32::from(low))),
        _ => address,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn t02_only_addresses_of_the_public_internet_are_public() {
        for (address, public) in [
            ("0.0.0.0", false),
            ("0.1.2.3", false),
            ("10.0.0.1", false),
            ("100.63.255.255", true),
            ("100.64.0.0", false),
            ("100.127.255.255", false),
            ("100.128.0.0", true),
            ("127.0.0.1", false),
            ("127.255.255.254", false),
            ("168.63.129.16", false),
            ("168.63.129.17", true),
            ("169.254.169.254", false),
            ("172.15.255.255", true),
            ("172.16.0.1", false),
            ("172.31.255.255", false),
            ("172.32.0.0", true),
            ("192.0.0.192", false),
            ("192.0.2.1", false),
            ("192.88.99.1", false),
            ("192.168.0.1", false),
            ("198.18.0.1", false),
            ("198.19.255.255", false),
            ("198.51.100.7", false),
            ("203.0.113.7", false),
            ("224.0.0.1", false),
            ("239.255.255.255", false),
            ("240.0.0.1", false),
            ("255.255.255.255", false),
            ("1.1.1.1", true),
            ("8.8.8.8", true),
            ("223.255.255.255", true),
            ("::", false),
            ("::1", false),
            ("::127.0.0.1", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:7f00:1", false),
            ("::ffff:169.254.169.254", false),
            ("::ffff:8.8.8.8", true),
            ("::ffff:0:10.0.0.1", false),
            ("::ffff:0:8.8.8.8", true),
            ("64:ff9b::7f00:1", false),
            ("64:ff9b::10.0.0.1", false),
            ("64:ff9b::8.8.8.8", true),
            ("64:ff9b:1::8.8.8.8", false),
            ("100::1", false),
            ("2001::1", false),
            ("2001:0:4136:e378:8000:63bf:3fff:fdd2", false),
            ("2001:10::1", false),
            ("2001:20::1", false),
            ("2001:db8::1", false),
            ("2002:7f00:1::", false),
            ("2002:a00:1::1", false),
            ("2002:c0a8:1:ffff::1", false),
            ("2002:808:808::1", true),
            ("3fff::1", false),
            ("3fff:1000::1", true),
            ("5f00::1", false),
            ("fc00::1", false),
            ("fd00::1", false),
            ("fd00:ec2::254", false),
            ("fe80::1", false),
            ("fec0::1", false),
            ("ff02::1", false),
            ("2606:4700:4700::1111", true),
            ("2a00:1450:4001:82a::200e", true),
        ] {
            assert_eq!(is_public(address.parse().expect("an address")), public, "{address}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_the_standard_library_calls_special_is_not_public(bits: u128, length in 0_usize..=16) {
            // Random addresses are rarely special, so each is also tested behind special prefixes.
            let beginnings: [u128; 5] = [bits, 0, 0xffff << 32, 0xfc00 << 112, 0xfe80 << 112];
            for beginning in beginnings {
                let kept = bits.checked_shr(u32::try_from(128 - 8 * length).expect("small")).unwrap_or(0);
                let v6 = Ipv6Addr::from_bits(beginning | kept);
                let special = v6.is_loopback() || v6.is_unspecified() || v6.is_multicast() || v6.is_unique_local()
                    || v6.is_unicast_link_local();
                prop_assert!(!(special && is_public(v6.into())), "{v6}");
            }
            let low = u32::try_from(bits & 0xffff_ffff).expect("32 bits");
            for beginning in [low, 10 << 24, 127 << 24, 0xa9fe << 16, 0xc0a8 << 16, 0xe000_0000] {
                let v4 = Ipv4Addr::from_bits(beginning | (low >> 16));
                let special = v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_broadcast()
                    || v4.is_documentation() || v4.is_multicast() || v4.is_unspecified();
                prop_assert!(!(special && is_public(v4.into())), "{v4}");
                // Writing the address as IPv6 does not bypass the check.
                prop_assert_eq!(is_public(v4.to_ipv6_mapped().into()), is_public(v4.into()));
            }
        }
    }
}
