//! What of s2n-tls is out of the reach of its safe interface.
//!
//! This is the only module of the crate that may use `unsafe`. It holds six things: the seven security
//! policies that the library's table lacks, the certificates of a client while its handshake is still under
//! way, the alert for those that are refused, the end of a handshake's memory and of empty buffers, and the switch
//! that leaves the verification of certificates to us. All but the last depend on private layout: the version is
//! pinned in the workspace manifest, and every assumption is checked before anything is written: that about the size
//! of a connection when this is compiled, the others at run time.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_uint};
use std::ptr::NonNull;
use std::sync::OnceLock;

use s2n_tls::config;
use s2n_tls::connection::Connection;
use s2n_tls::error::Error;

/// The table of the library is not the one that this crate was written for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LibraryError {
    /// A name that is to be replaced is not in the table.
    #[error(
        "the policy table of s2n-tls has no entry {0}; this build needs the version of s2n-tls that the workspace \
         pins, or crates/tls/src/library.rs adapted to the new one"
    )]
    SlotMissing(&'static str),
    /// A policy whose content is known reads differently.
    #[error(
        "the entries of the policy table of s2n-tls are not laid out as expected ({0}); this build needs the \
         version of s2n-tls that the workspace pins, or crates/tls/src/library.rs adapted to the new one"
    )]
    Layout(&'static str),
}

/// Adds to the library the policies that it lacks. Every configuration does it first; called at start-up, it
/// makes a wrong library an error there.
///
/// # Errors
/// `LibraryError` if the library is not the one this crate was written for; nothing was changed then.
pub fn prepare() -> Result<(), LibraryError> {
    static PREPARED: OnceLock<Result<(), LibraryError>> = OnceLock::new();
    PREPARED
        .get_or_init(|| {
            // SAFETY: the library is only used after this function, which `OnceLock` runs once, so that nobody
            // reads the table while it changes. The table is an array of that layout, which `add_policies` checks.
            let table =
                unsafe { NonNull::new_unchecked(&raw mut security_policy_selection).cast() };
            unsafe { add_policies(table, SLOTS) }
        })
        .clone()
}

/// The name under which the library knows a policy.
pub(crate) fn library_name(policy: &str) -> &str {
    match policy {
        // The older name of the same policy.
        "ELBSecurityPolicy-2015-05" => "ELBSecurityPolicy-2016-08",
        name => name,
    }
}

/// `s2n_security_policy`.
#[repr(C)]
struct Policy {
    minimum_protocol_version: u8,
    cipher_preferences: *const Opaque,
    kem_preferences: *const Opaque,
    signature_preferences: *const Opaque,
    certificate_signature_preferences: *const Opaque,
    ecc_preferences: *const Opaque,
    strongly_preferred_groups: *const Opaque,
    certificate_key_preferences: *const Opaque,
    certificate_preferences_apply_locally: bool,
    rules: [bool; 2],
}

/// `s2n_security_policy_selection`.
#[repr(C)]
struct Selection {
    version: *const c_char,
    policy: *const Policy,
    /// Bit 0: the ECC extension is required; bit 2: TLS 1.3 is supported. The library computes them when it is
    /// initialised, which may have happened already.
    flags: c_uint,
}

/// A list of the library that is only pointed at.
#[repr(C)]
struct Opaque {
    _private: [u8; 0],
}

// The library exports these names for its own tests.
unsafe extern "C" {
    static mut security_policy_selection: Opaque;
    static elb_security_policy_tls13_1_0_2021_06: Opaque;
    static elb_security_policy_tls13_1_1_2021_06: Opaque;
    static elb_security_policy_tls13_1_2_2021_06: Opaque;
    static elb_security_policy_tls13_1_2_Res_2021_06: Opaque;
    static elb_security_policy_tls13_1_2_Ext1_2021_06: Opaque;
    static elb_security_policy_tls13_1_2_Ext2_2021_06: Opaque;
    static elb_security_policy_tls13_1_3_2021_06: Opaque;
    static kem_preferences_null: Opaque;
    static s2n_signature_preferences_20250820: Opaque;
    static s2n_ecc_preferences_20240603: Opaque;
    fn s2n_queue_reader_handshake_failure_alert(
        connection: *mut s2n_tls_sys::s2n_connection,
    ) -> c_int;
}

const TLS10: u8 = 31;
const TLS11: u8 = 32;
const TLS12: u8 = 33;
const TLS13: u8 = 34;

/// More entries than the table has (230), to stop at if its end is not found.
const TABLE_LEN_MAX: usize = 1024;

/// A policy to add.
struct Slot {
    /// The entry that makes room: one that no load balancer can name.
    old: &'static CStr,
    new: &'static CStr,
    minimum_protocol_version: u8,
    ciphers: fn() -> *const Opaque,
}

const SLOTS: &[Slot] = &[
    Slot {
        old: c"CloudFront-SSL-v-3",
        new: c"ELBSecurityPolicy-TLS13-1-0-2021-06",
        minimum_protocol_version: TLS10,
        ciphers: || &raw const elb_security_policy_tls13_1_0_2021_06,
    },
    Slot {
        old: c"CloudFront-SSL-v-3-no-pq",
        new: c"ELBSecurityPolicy-TLS13-1-1-2021-06",
        minimum_protocol_version: TLS11,
        ciphers: || &raw const elb_security_policy_tls13_1_1_2021_06,
    },
    Slot {
        old: c"CloudFront-SSL-v-3-Legacy",
        new: c"ELBSecurityPolicy-TLS13-1-2-2021-06",
        minimum_protocol_version: TLS12,
        ciphers: || &raw const elb_security_policy_tls13_1_2_2021_06,
    },
    Slot {
        old: c"CloudFront-TLS-1-0-2014-Legacy",
        new: c"ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
        minimum_protocol_version: TLS12,
        ciphers: || &raw const elb_security_policy_tls13_1_2_Res_2021_06,
    },
    Slot {
        old: c"CloudFront-TLS-1-0-2016-Legacy",
        new: c"ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06",
        minimum_protocol_version: TLS12,
        ciphers: || &raw const elb_security_policy_tls13_1_2_Ext1_2021_06,
    },
    Slot {
        old: c"CloudFront-TLS-1-1-2016-Legacy",
        new: c"ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06",
        minimum_protocol_version: TLS12,
        ciphers: || &raw const elb_security_policy_tls13_1_2_Ext2_2021_06,
    },
    Slot {
        old: c"CloudFront-TLS-1-2-2018-Legacy",
        new: c"ELBSecurityPolicy-TLS13-1-3-2021-06",
        minimum_protocol_version: TLS13,
        ciphers: || &raw const elb_security_policy_tls13_1_3_2021_06,
    },
];

/// Puts the policies into the places of others. Nothing is written unless every check has passed.
///
/// # Safety
/// `table` is an array of `Selection` that ends with one whose `version` is null, nobody else uses it
/// meanwhile, and its strings live as long as it does.
unsafe fn add_policies(
    table: NonNull<Selection>,
    slots: &'static [Slot],
) -> Result<(), LibraryError> {
    let find = |name: &CStr| {
        (0..TABLE_LEN_MAX)
            // SAFETY: the entry with a null version, which ends the table, stops the iteration before it is left.
            .map(|index| unsafe { table.add(index) })
            .take_while(|entry| unsafe { !entry.as_ref().version.is_null() })
            .find(|entry| unsafe { CStr::from_ptr(entry.as_ref().version) } == name)
    };
    let known = find(c"ELBSecurityPolicy-TLS13-1-2-PQ-2025-09").ok_or(
        LibraryError::SlotMissing("ELBSecurityPolicy-TLS13-1-2-PQ-2025-09"),
    )?;
    // SAFETY: an entry with a name has a policy, and only fields of it are compared.
    let known = unsafe { &*known.as_ref().policy };
    if known.minimum_protocol_version != TLS12 {
        return Err(LibraryError::Layout("minimum_protocol_version"));
    }
    if known.cipher_preferences != &raw const elb_security_policy_tls13_1_2_2021_06 {
        return Err(LibraryError::Layout("cipher_preferences"));
    }
    if known.ecc_preferences != &raw const s2n_ecc_preferences_20240603 {
        return Err(LibraryError::Layout("ecc_preferences"));
    }
    let places = slots
        .iter()
        .map(|slot| {
            let name = slot.old.to_str().unwrap_or("of an unreadable name");
            let place = find(slot.old).ok_or(LibraryError::SlotMissing(name))?;
            Ok((slot, place))
        })
        .collect::<Result<Vec<_>, _>>()?;
    for (slot, place) in places {
        let policy = Policy {
            minimum_protocol_version: slot.minimum_protocol_version,
            cipher_preferences: (slot.ciphers)(),
            kem_preferences: &raw const kem_preferences_null,
            signature_preferences: &raw const s2n_signature_preferences_20250820,
            certificate_signature_preferences: std::ptr::null(),
            ecc_preferences: &raw const s2n_ecc_preferences_20240603,
            strongly_preferred_groups: std::ptr::null(),
            certificate_key_preferences: std::ptr::null(),
            certificate_preferences_apply_locally: false,
            rules: [false; 2],
        };
        // SAFETY: the place is an entry of the table, which is ours alone now. The policy is never freed.
        unsafe {
            place.write(Selection {
                version: slot.new.as_ptr(),
                policy: Box::leak(Box::new(policy)),
                flags: 0b101,
            });
        }
    }
    Ok(())
}

// `Connection` is its pointer and nothing else.
const _: () = assert!(size_of::<Connection>() == size_of::<NonNull<s2n_tls_sys::s2n_connection>>());

fn raw(connection: &mut Connection) -> *mut s2n_tls_sys::s2n_connection {
    let connection: *mut Connection = connection;
    // SAFETY: the structure has one field, a pointer to the library's connection, which lives as long as it
    // (its size is asserted above, and the tests of client certificates fail if it is anything else).
    unsafe {
        connection
            .cast::<NonNull<s2n_tls_sys::s2n_connection>>()
            .read()
    }
    .as_ptr()
}

/// The certificates that a client has sent, while its handshake is under way: in the form of TLS 1.2, each
/// after its length in three bytes. The safe interface gives them out only once the handshake is complete.
pub(crate) fn client_certificates(connection: &mut Connection) -> Option<Vec<u8>> {
    let mut chain = std::ptr::null_mut();
    let mut len = 0;
    // SAFETY: the pointer is valid; the library answers with memory of its own, or with an error.
    let status: c_int = unsafe {
        s2n_tls_sys::s2n_connection_get_client_cert_chain(raw(connection), &mut chain, &mut len)
    };
    if status != 0 || chain.is_null() {
        return None;
    }
    // SAFETY: on success the library has set both, and does not touch the memory before the copy is made.
    Some(unsafe { std::slice::from_raw_parts(chain, len as usize) }.to_vec())
}

/// Has the alert `handshake_failure` sent when the connection is closed. The library sends none by itself for a
/// certificate that was refused.
pub(crate) fn alert_handshake_failure(connection: &mut Connection) {
    // SAFETY: the pointer is valid, and the function only sets a field of the connection.
    unsafe { s2n_queue_reader_handshake_failure_alert(raw(connection)) };
}

/// Frees what only the handshake needed; the safe interface has no way to. The ClientHello is part of it.
pub(crate) fn free_handshake(connection: &mut Connection) {
    // SAFETY: the pointer is valid, and the library allows the call once the handshake is complete. The only
    // thing that could still be read of what it frees is the ClientHello, which the caller does not.
    unsafe { s2n_tls_sys::s2n_connection_free_handshake(raw(connection)) };
}

/// Has the buffers of a connection freed after each call that leaves them empty. The next one that needs them finds
/// what the last connection has given back: an idle connection has none, and busy ones share what is in the
/// processor's caches. The safe interface can only free them by clearing all 80 KB, used or not, which costs as much
/// as a small request; this way only plaintext is cleared, as it is read.
pub(crate) fn free_empty_buffers(connection: &mut Connection) {
    // SAFETY: the pointer is valid, and the function only sets a field of the connection.
    unsafe { s2n_tls_sys::s2n_connection_set_dynamic_buffers(raw(connection), true) };
}

/// Leaves it to us whether a certificate of the peer is accepted. That the peer holds its private key is
/// verified by the library all the same.
pub(crate) fn leave_verification_to_us(builder: &mut config::Builder) -> Result<(), Error> {
    // SAFETY: "unsafe" is the library's warning that its user must verify certificates, not a matter of memory.
    unsafe { builder.disable_x509_verification() }.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &'static CStr, policy: &'static Policy) -> Selection {
        Selection {
            version: name.as_ptr(),
            policy,
            flags: 0,
        }
    }

    fn known_policy(minimum_protocol_version: u8) -> &'static Policy {
        Box::leak(Box::new(Policy {
            minimum_protocol_version,
            cipher_preferences: &raw const elb_security_policy_tls13_1_2_2021_06,
            kem_preferences: std::ptr::null(),
            signature_preferences: std::ptr::null(),
            certificate_signature_preferences: std::ptr::null(),
            ecc_preferences: &raw const s2n_ecc_preferences_20240603,
            strongly_preferred_groups: std::ptr::null(),
            certificate_key_preferences: std::ptr::null(),
            certificate_preferences_apply_locally: false,
            rules: [false; 2],
        }))
    }

    fn add_to(mut table: Vec<Selection>) -> (Result<(), LibraryError>, Vec<&'static CStr>) {
        table.push(Selection {
            version: std::ptr::null(),
            policy: std::ptr::null(),
            flags: 0,
        });
        let first = NonNull::new(table.as_mut_ptr()).expect("a vector with an entry");
        // SAFETY: the table is ours, and ends with a null name.
        let outcome = unsafe { add_policies(first, SLOTS) };
        let names = table
            .iter()
            .filter(|entry| !entry.version.is_null())
            // SAFETY: every name is a literal.
            .map(|entry| unsafe { CStr::from_ptr(entry.version) })
            .collect();
        (outcome, names)
    }

    #[test]
    fn the_pinned_library_takes_the_policies() {
        assert_eq!(prepare(), Ok(()));
        assert_eq!(prepare(), Ok(()), "the second call does nothing");
    }

    #[test]
    fn a_table_without_one_of_the_slots_is_refused_and_left_alone() {
        let policy = known_policy(TLS12);
        let known = || entry(c"ELBSecurityPolicy-TLS13-1-2-PQ-2025-09", policy);
        let all = || SLOTS.iter().map(|slot| entry(slot.old, policy));

        let (outcome, names) = add_to(all().chain([known()]).collect());
        assert_eq!(outcome, Ok(()));
        assert!(SLOTS.iter().all(|slot| names.contains(&slot.new)));

        let (outcome, names) = add_to(all().skip(1).chain([known()]).collect());
        assert_eq!(
            outcome,
            Err(LibraryError::SlotMissing("CloudFront-SSL-v-3"))
        );
        assert!(
            SLOTS.iter().all(|slot| !names.contains(&slot.new)),
            "nothing was written"
        );

        let (outcome, _) = add_to(all().collect());
        let missing = "ELBSecurityPolicy-TLS13-1-2-PQ-2025-09";
        assert_eq!(outcome, Err(LibraryError::SlotMissing(missing)));
    }

    #[test]
    fn another_layout_is_refused_and_left_alone() {
        let policy = known_policy(TLS13);
        let all = SLOTS.iter().map(|slot| entry(slot.old, policy));
        let (outcome, names) = add_to(
            all.chain([entry(c"ELBSecurityPolicy-TLS13-1-2-PQ-2025-09", policy)])
                .collect(),
        );
        assert_eq!(
            outcome,
            Err(LibraryError::Layout("minimum_protocol_version"))
        );
        assert!(
            SLOTS.iter().all(|slot| !names.contains(&slot.new)),
            "nothing was written"
        );
    }
}
