//! How a noun is kept in the store: under a key that names it, in the store's versioned envelope.
//!
//! A changed noun is a changed format: it raises `VERSION`, brings a migration from the versions before,
//! and a golden record of each version stays in the tests.

use std::fmt::Display;
use std::sync::Arc;

use imbl::OrdMap;
use imbl::ordmap::DiffItem;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use store::record::RecordError;

use crate::secrets::SecretKey;
use crate::state::State;

/// The nouns of one kind. A copy costs nothing and shares what is not changed, so that what is different
/// between two states is found without looking at what is the same.
pub type Table<K, R> = OrdMap<K, Arc<R>>;

/// The keys under which two tables differ.
pub(crate) fn changed<'a, K: Ord + Clone, R: PartialEq>(
    before: &'a Table<K, R>,
    after: &'a Table<K, R>,
) -> impl Iterator<Item = &'a K> {
    before.diff(after).map(|item| match item {
        DiffItem::Add(key, _) | DiffItem::Remove(key, _) => key,
        DiffItem::Update { new: (key, _), .. } => key,
    })
}

/// A noun with a table of its own in the `State` and a record in the store.
pub trait Record: Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The first part of the store key, `service/noun`, without a `/` at its end.
    const KIND: &'static str;
    /// The version that is written, from 1.
    const VERSION: u32 = 1;
    /// What names one noun of this kind; its text is the second part of the store key.
    type Key: Ord + Clone + Display;

    /// What names this noun.
    fn key(&self) -> Self::Key;
    /// The nouns of this kind.
    fn table(state: &State) -> &Table<Self::Key, Self>;
    /// The nouns of this kind, for a change.
    fn table_mut(state: &mut State) -> &mut Table<Self::Key, Self>;

    /// Brings the JSON of an earlier version to that of `VERSION`. Never called while `VERSION` is 1. Members
    /// that a version added and that may be absent need no migration.
    #[must_use]
    fn migrate(_from: u32, record: Value) -> Value {
        record
    }

    /// Seals what a record has in the clear because it was stored before such secrets were sealed. Whether there
    /// was anything.
    fn seal(_key: &SecretKey, _record: &mut Value) -> bool {
        false
    }
}

/// Makes a noun a record: `record!(Noun, Key, "service/noun", service.table, noun => its key)`, with `version 2` after
/// the kind if it is not the first, and at the end, in braces, what else the record has of its own.
macro_rules! record {
    (
        $noun:ident, $key:ty, $kind:literal $(version $version:literal)?, $service:ident.$table:ident,
        $this:ident => $of:expr $(, { $($own:tt)+ })?
    ) => {
        impl $crate::record::Record for $noun {
            const KIND: &'static str = $kind;
            $(const VERSION: u32 = $version;)?
            type Key = $key;

            fn key(&self) -> $key {
                let $this = self;
                $of
            }

            fn table(state: &$crate::state::State) -> &$crate::record::Table<$key, Self> {
                &state.$service.$table
            }

            fn table_mut(
                state: &mut $crate::state::State,
            ) -> &mut $crate::record::Table<$key, Self> {
                &mut state.$service.$table
            }

            $($($own)+)?
        }
    };
}
pub(crate) use record;

/// A noun as it was read.
pub(crate) struct Decoded<R> {
    pub(crate) noun: R,
    /// Whether the record has a secret in the clear, so that it has to be written again.
    pub(crate) has_clear_secret: bool,
}

/// The key of a noun in the store.
pub(crate) fn store_key<R: Record>(key: &R::Key) -> String {
    format!("{}/{key}", R::KIND)
}

/// The bytes that are stored for a noun.
pub(crate) fn encode<R: Record>(noun: &R) -> Vec<u8> {
    store::record::encode(R::VERSION, noun)
}

/// The noun in stored bytes; `key` seals what they have in the clear.
pub(crate) fn decode<R: Record>(bytes: &[u8], key: &SecretKey) -> Result<Decoded<R>, RecordError> {
    let mut has_clear_secret = false;
    let noun = store::record::decode(bytes, R::VERSION, |from, record| {
        let mut record = match from {
            from if from < R::VERSION => R::migrate(from, record),
            _ => record,
        };
        has_clear_secret = R::seal(key, &mut record);
        record
    })?;
    Ok(Decoded {
        noun,
        has_clear_secret,
    })
}

#[cfg(test)]
mod tests {
    use model::access_key::AccessKey;
    use model::account::Account;
    use model::authentication::Authentication;
    use model::certificate::{AcmAccount, Certificate};
    use model::listener::Listener;
    use model::load_balancer::LoadBalancer;
    use model::rule::Rule;
    use model::target::Target;
    use model::target_group::TargetGroup;
    use model::trust_store::{TrustStore, TrustStoreRevocation};
    use model::zonal_shift::ZonalShift;

    use super::*;
    use crate::elb::authentication;
    use crate::secrets::SECRET_KEY_BYTES;

    fn key() -> SecretKey {
        SecretKey::new(&[7; SECRET_KEY_BYTES])
    }

    fn decode<R: Record>(bytes: &[u8]) -> Result<R, RecordError> {
        Ok(super::decode(bytes, &key())?.noun)
    }

    /// A golden record is read and written back as it was. A noun that changed fails here: it needs the next
    /// version, a migration, and the old file must stay readable.
    fn check<R: Record>(golden: &str) {
        let golden = golden.trim_end();
        let noun: R = decode(golden.as_bytes()).expect("the record can be read");
        let written = String::from_utf8(encode(&noun)).expect("JSON is text");
        assert_eq!(written, golden, "the format of {} is pinned", R::KIND);
    }

    /// A record of version 1 is read, and written in version 2 with no other difference.
    fn check_raised<R: Record>(golden: &str) {
        decode::<R>(golden.as_bytes()).expect("version 1 can be read");
        check::<R>(&golden.replacen("\"version\":1", "\"version\":2", 1));
    }

    #[test]
    fn records_of_both_versions_can_be_read() {
        check_raised::<Listener>(include_str!("../tests/golden/listener.v1.json"));
        check_raised::<Rule>(include_str!("../tests/golden/rule.v1.json"));
        check_raised::<Rule>(include_str!("../tests/golden/rule_fixed_response.v1.json"));
        let imported: Certificate =
            decode(include_bytes!("../tests/golden/certificate.v1.json")).expect("version 1");
        let written = String::from_utf8(encode(&imported)).expect("JSON is text");
        let golden = include_str!("../tests/golden/certificate_imported.v2.json");
        assert_eq!(written, golden.trim_end());
        check_raised::<TargetGroup>(include_str!("../tests/golden/target_group.v1.json"));
        check_raised::<LoadBalancer>(include_str!("../tests/golden/load_balancer.v1.json"));
        check::<LoadBalancer>(include_str!(
            "../tests/golden/load_balancer_dualstack.v2.json"
        ));
        check::<Certificate>(include_str!("../tests/golden/certificate_imported.v2.json"));
        check::<Certificate>(include_str!("../tests/golden/certificate_pending.v2.json"));
        check::<Certificate>(include_str!("../tests/golden/certificate_issued.v2.json"));
        check::<Certificate>(include_str!("../tests/golden/certificate_revoked.v2.json"));
        check::<Listener>(include_str!("../tests/golden/listener_sticky.v2.json"));
        check::<Listener>(include_str!("../tests/golden/listener_tls.v2.json"));
        check::<Rule>(include_str!("../tests/golden/rule_sticky.v2.json"));
        check::<Rule>(include_str!("../tests/golden/rule_oidc.v2.json"));
        check::<Rule>(include_str!("../tests/golden/rule_cognito.v2.json"));
        check::<Rule>(include_str!("../tests/golden/rule_jwt.v2.json"));
        check::<Rule>(include_str!("../tests/golden/rule_transforms.v2.json"));
        check::<TargetGroup>(include_str!("../tests/golden/target_group_grpc.v2.json"));
    }

    /// Those of version 2 that were stored before client secrets were sealed.
    #[test]
    fn client_secrets_in_the_clear_are_read_and_written_sealed() {
        for golden in [
            include_str!("../tests/golden/rule_oidc_clear_secret.v2.json"),
            include_str!("../tests/golden/rule_cognito_clear_secret.v2.json"),
        ] {
            let read = super::decode::<Rule>(golden.as_bytes(), &key()).expect("version 2");
            assert!(read.has_clear_secret);
            let written = encode(&read.noun);
            let text = String::from_utf8(written.clone()).expect("JSON is text");
            assert!(!text.contains("hush") && !text.contains("\"client_secret\""));
            let again = super::decode::<Rule>(&written, &key()).expect("version 2");
            assert!(!again.has_clear_secret);
            let login = match &again.noun.actions.authentication.as_ref().unwrap().method {
                Authentication::Oidc(login) => login,
                Authentication::Cognito(cognito) => &cognito.oidc,
                Authentication::Jwt(_) => panic!("both are logins"),
            };
            let opened = authentication::open(&key(), login).expect("it was sealed with the key");
            assert_eq!(opened.client_secret.reveal(), "hush");
        }
    }

    #[test]
    fn records_of_version_one_keep_their_format() {
        check::<Account>(include_str!("../tests/golden/account.v1.json"));
        check::<AccessKey>(include_str!("../tests/golden/access_key.v1.json"));
        check::<AcmAccount>(include_str!("../tests/golden/acm_account.v1.json"));
        check::<TrustStore>(include_str!("../tests/golden/trust_store.v1.json"));
        check::<TrustStoreRevocation>(include_str!(
            "../tests/golden/trust_store_revocation.v1.json"
        ));
        check::<Target>(include_str!("../tests/golden/target.v1.json"));
        check::<Target>(include_str!("../tests/golden/target_draining.v1.json"));
        check::<ZonalShift>(include_str!("../tests/golden/zonal_shift.v1.json"));
    }
}
