//! Access keys: what is made is found and kept, what is revoked is gone, and both over a restart.

use std::sync::Arc;

use control::access::{ACCESS_KEYS_MAX, AccessKeyError, CreateAccessKey};
use control::{Control, ManualClock, NoPlane, Parts, SecretKey, SequentialIds, Settings};
use model::access_key::Access;
use store::{Memory, Store};

async fn open(store: &Arc<Memory>, secret_key: u8) -> Control {
    let parts = Parts {
        store: Arc::clone(store) as Arc<dyn Store>,
        plane: Arc::new(NoPlane),
        clock: Arc::new(ManualClock::at(1_700_000_000_000)),
        ids: Arc::new(SequentialIds::default()),
        secret_key: Arc::new(SecretKey::new(&[secret_key; control::SECRET_KEY_BYTES])),
        objects: Arc::new(control::NoObjects),
        issuer: None,
        settings: Settings::default(),
    };
    Control::open(parts)
        .await
        .expect("the defaults are in order")
}

fn named(user_name: &str, access: Access) -> CreateAccessKey {
    CreateAccessKey {
        user_name: Some(user_name.to_owned()),
        access,
    }
}

#[tokio::test]
async fn keys_survive_a_restart_and_stay_revoked() {
    let store = Arc::new(Memory::new());
    let control = open(&store, 7).await;
    let (kept, secret) = control
        .create_access_key(named("ci", Access::ReadOnly))
        .await
        .unwrap();
    let nameless = CreateAccessKey {
        user_name: None,
        access: Access::Full,
    };
    let (revoked, _) = control.create_access_key(nameless).await.unwrap();
    assert_eq!(revoked.user_name.to_string(), revoked.id);
    control.delete_access_key(revoked.id.clone()).await.unwrap();
    for control in [control, open(&store, 7).await] {
        let (key, opened) = control.find_access_key(&kept.id).unwrap().expect("kept");
        assert_eq!((&key, &opened), (&kept, &secret));
        assert_eq!(control.find_access_key(&revoked.id), Ok(None));
        assert_eq!(control.list_access_keys(), [Arc::clone(&kept)]);
    }
    let records = store.range("elbow/access-key/", None).unwrap().records;
    let stored: Vec<u8> = records.iter().flat_map(|it| it.value.to_vec()).collect();
    let stored = String::from_utf8(stored).unwrap();
    assert!(!stored.contains(secret.reveal()), "it is stored sealed");
    let other = open(&store, 8).await;
    assert!(
        other.find_access_key(&kept.id).is_err(),
        "another secret key opens nothing"
    );
}

#[tokio::test]
async fn what_cannot_be_made_or_revoked_is_refused() {
    let control = open(&Arc::new(Memory::new()), 7).await;
    let create = |name: &str| control.create_access_key(named(name, Access::Full));
    let (key, _) = create("ci").await.unwrap();
    let taken = create("ci").await.unwrap_err();
    assert!(
        matches!(&taken, AccessKeyError::EntityAlreadyExists { holder, .. } if *holder == key.id)
    );
    let unnamed = create("a b").await.unwrap_err();
    assert!(matches!(unnamed, AccessKeyError::Validation(_)));
    control.delete_access_key(key.id.clone()).await.unwrap();
    let gone = control.delete_access_key(key.id.clone()).await.unwrap_err();
    assert!(matches!(gone, AccessKeyError::NoSuchEntity(_)));
    for n in 0..ACCESS_KEYS_MAX {
        create(&format!("user-{n}")).await.unwrap();
    }
    let too_many = create("one-more").await.unwrap_err();
    assert!(matches!(too_many, AccessKeyError::LimitExceeded));
}
