//! Who signed a request, and what they may do.

use std::sync::Arc;

use control::{Accounts, Control};
use model::access_key::{Access, AccessKey};
use model::arn::Place;

use crate::ApiError;
use crate::query::Node;
use crate::resource::resource;
use crate::service::Service;

/// The holder of an access key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// The root user, with the id of its key.
    Root(String),
    /// A user, which every other key is one of its own.
    User(Arc<AccessKey>),
}

/// Somebody whose signature is verified, and the account in which they act.
#[derive(Clone)]
pub(crate) struct Actor {
    pub(crate) caller: Caller,
    pub(crate) account: Control,
}

impl Actor {
    /// The same one in the account with this id: the root user may act in all of them, others in their own alone.
    ///
    /// # Errors
    /// `AccessDenied`; `NoSuchEntity` if there is no such account.
    pub(crate) fn moved_to(self, accounts: &Accounts, id: &str) -> Result<Self, ApiError> {
        let place = &self.account.settings().place;
        if place.account == id {
            return Ok(self);
        }
        match self.caller {
            Caller::Root(_) => Ok(Self {
                account: accounts.of(id)?,
                ..self
            }),
            Caller::User(_) => {
                let arn = self.caller.arn(place);
                let message = format!("User: {arn} is not authorized to act in the account {id}");
                Err(ApiError::new("AccessDenied", 403, message))
            }
        }
    }
}

impl Caller {
    /// The id of the key.
    pub(crate) fn access_key_id(&self) -> &str {
        match self {
            Self::Root(id) => id,
            Self::User(key) => &key.id,
        }
    }

    /// The unique id of the user; that of the root user is the account.
    pub(crate) fn user_id(&self, place: &Place) -> String {
        match self {
            Self::Root(_) => place.account.clone(),
            Self::User(key) => key.user_id(),
        }
    }

    /// The ARN of the user.
    pub(crate) fn arn(&self, place: &Place) -> String {
        let Place {
            partition, account, ..
        } = place;
        match self {
            Self::Root(_) => format!("arn:{partition}:iam::{account}:root"),
            Self::User(key) => format!("arn:{partition}:iam::{account}:user/{}", key.user_name),
        }
    }

    /// Checks that this caller may perform an operation of `service`.
    ///
    /// Whoever could make keys could outlive the revocation of their own, so that is for the root user alone.
    ///
    /// # Errors
    /// `AccessDenied`, in the words of IAM.
    pub(crate) fn authorize(
        &self,
        place: &Place,
        service: Service,
        operation: &str,
        is_read: bool,
        input: &Node,
    ) -> Result<(), ApiError> {
        let is_allowed = match self {
            Self::Root(_) => true,
            Self::User(_) if service == Service::Elbow => false,
            Self::User(key) => key.access == Access::Full || is_read,
        };
        if is_allowed {
            return Ok(());
        }
        let action = format!("{}:{operation}", service.signing_name());
        let (arn, resource) = (self.arn(place), resource(place, service, operation, input));
        let message = format!(
            "User: {arn} is not authorized to perform: {action} on resource: {resource} because no identity-based \
             policy allows the {action} action"
        );
        Err(ApiError::new("AccessDenied", 403, message))
    }
}

#[cfg(test)]
mod tests {
    use control::Settings;

    use super::*;

    fn user(access: Access) -> Caller {
        Caller::User(Arc::new(AccessKey {
            id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            user_name: "ci".parse().expect("a name"),
            access,
            sealed_secret: String::new().into(),
            created_at_millis: 0,
        }))
    }

    #[test]
    fn a_caller_may_do_what_its_key_says() {
        use Service::{ArcZonalShift, Ec2, ElasticLoadBalancing, Elbow};
        let root = Caller::Root("ROOT".to_owned());
        let [full, read_only] = [Access::Full, Access::ReadOnly].map(user);
        let place = Settings::default().place;
        for (service, is_read, allowed) in [
            (ElasticLoadBalancing, true, [true, true, true]),
            (ElasticLoadBalancing, false, [true, true, false]),
            (Ec2, true, [true, true, true]),
            (Ec2, false, [true, true, false]),
            (ArcZonalShift, false, [true, true, false]),
            (Elbow, true, [true, false, false]),
            (Elbow, false, [true, false, false]),
        ] {
            let found = [&root, &full, &read_only]
                .map(|caller| caller.authorize(&place, service, "Do", is_read, &Node::default()));
            let found = found.map(|allowed| allowed.is_ok());
            assert_eq!(found, allowed, "{service:?}, is_read {is_read}");
        }
    }

    #[test]
    fn users_are_named_as_iam_names_them() {
        let place = Settings::default().place;
        let ci = user(Access::Full);
        assert_eq!(ci.arn(&place), "arn:aws:iam::123456789012:user/ci");
        assert_eq!(ci.user_id(&place), "AIDAIOSFODNN7EXAMPLE");
        let root = Caller::Root("ROOT".to_owned());
        assert_eq!(root.arn(&place), "arn:aws:iam::123456789012:root");
        assert_eq!(root.user_id(&place), "123456789012");
    }
}
