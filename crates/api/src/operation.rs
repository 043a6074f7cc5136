//! The operations of the services: which of them elbow performs, and how one is found by its name.
//!
//! Each service has one table, with every operation that the API's model has.

use std::future::Future;
use std::pin::Pin;

use control::{Accounts, Control};

use crate::ApiError;
use crate::caller::Caller;
use crate::query::Node;
use crate::service::{Protocol, Service};

/// What an operation is called with.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    /// The account that it is about.
    pub(crate) control: &'a Control,
    /// All of them.
    pub(crate) accounts: &'a Accounts,
    /// Who calls, and may.
    pub(crate) caller: &'a Caller,
    pub(crate) input: &'a Node,
}

/// Decodes the input of an operation and performs it; `R` is what the service's protocol prints.
type Handler<R> = for<'a> fn(Call<'a>) -> Answer<'a, R>;
type Answer<'a, R> = Pin<Box<dyn Future<Output = Result<R, ApiError>> + Send + 'a>>;

/// What the inputs of all operations of a service have to pass, given the name of the operation.
pub(crate) type Check = fn(&Control, &str, &Node) -> Result<(), ApiError>;

/// An operation that is served.
pub(crate) struct Operation<R> {
    pub(crate) name: &'static str,
    pub(crate) handler: Handler<R>,
    /// The members of an input that the operation does not read.
    #[cfg(test)]
    pub(crate) ignored: fn(&Node) -> Vec<String>,
}

/// The operations that are served: `"CreateRule" => create_rule` for a module with the functions `read`,
/// from `Fields` to an input, and `call`, from a `Control` and an input to a result. What comes after `check`
/// looks at every input that could be read, before anything is done.
macro_rules! operations {
    ($($name:literal => $module:ident,)+) => {
        $crate::operation::operations! { check: |_, _, _| Ok(()); $($name => $module,)+ }
    };
    (check: $check:expr; $($name:literal => $module:ident,)+) => {
        &[$($crate::operation::Operation {
            name: $name,
            handler: |call| Box::pin(async move {
                let input = $crate::input::decode(call.input, $module::read)?;
                let check: $crate::operation::Check = $check;
                check(call.control, $name, call.input)?;
                Ok($module::call(call.control, input).await?)
            }),
            #[cfg(test)]
            ignored: |input| $crate::input::ignored(input, $module::read),
        }),+]
    };
}
pub(crate) use operations;

/// Every operation of a service, in two lists in the order of their names.
pub(crate) struct Operations<R: 'static> {
    pub(crate) service: Service,
    pub(crate) served: &'static [Operation<R>],
    /// Those of the served that change nothing and give out no secret, which is what read-only keys may call.
    pub(crate) reads: &'static [&'static str],
    /// Those that are refused by their names.
    pub(crate) refused: &'static [&'static str],
}

impl<R> Operations<R> {
    /// The operation of this name.
    ///
    /// # Errors
    /// `InvalidAction` if there is none of this name or elbow does not serve it.
    pub(crate) fn find(&self, name: &str) -> Result<&'static Operation<R>, ApiError> {
        match self.served.iter().find(|operation| operation.name == name) {
            Some(operation) => Ok(operation),
            None if self.refused.contains(&name) => Err(refused(name)),
            None => Err(self.service.unknown_operation(name, self.service.version())),
        }
    }

    /// Whether the operation of this name changes nothing and gives out no secret; `None` if it is not served.
    pub(crate) fn is_read(&self, name: &str) -> Option<bool> {
        self.find(name).ok().map(|_| self.reads.contains(&name))
    }

    /// Performs the operation of this name for the root user.
    #[cfg(test)]
    pub(crate) async fn call(
        &self,
        control: &Control,
        name: &str,
        input: &Node,
    ) -> Result<R, ApiError> {
        let call = Call {
            control,
            accounts: &control.clone().into(),
            caller: &Caller::Root("KEY".to_owned()),
            input,
        };
        (self.find(name)?.handler)(call).await
    }

    fn coverage(&self) -> Coverage {
        Coverage {
            service: self.service.signing_name(),
            version: self.service.version(),
            served: self.served.iter().map(|operation| operation.name).collect(),
            reads: self.reads,
            refused: self.refused,
        }
    }
}

fn refused(name: &str) -> ApiError {
    ApiError::sender(
        "InvalidAction",
        format!("elbow does not support the operation {name} yet; nothing was done."),
    )
}

/// What elbow has of a service.
#[derive(Clone, Debug)]
pub struct Coverage {
    /// How the service is called in the scope of a signature.
    pub service: &'static str,
    /// The version of its API.
    pub version: &'static str,
    /// The operations that are performed, in the order of their names.
    pub served: Vec<&'static str>,
    /// Those of them that read-only keys may call.
    pub reads: &'static [&'static str],
    /// The other operations of the API, which are refused by their names, in their order.
    pub refused: &'static [&'static str],
}

/// What elbow has of every service of AWS.
#[must_use]
pub fn coverage() -> Vec<Coverage> {
    let of_service = |service: Service| match service.protocol() {
        Protocol::Query(operations) => operations.coverage(),
        Protocol::Json(_, operations) | Protocol::RestJson(_, operations) => operations.coverage(),
    };
    let of_aws = |service: &Service| *service != Service::Elbow;
    let services = Service::ALL.into_iter().filter(of_aws);
    services.map(of_service).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `tests/vectors/operations.py` wrote: of every service a line with its name, and indented ones
    /// with the names of its operations.
    const MODELS: &str = include_str!("../tests/vectors/operations.txt");

    #[test]
    fn every_operation_of_the_models_is_served_or_refused_by_name() {
        let models = MODELS.split("\n\n").map(|block| block.trim().split('\n'));
        let models = models.map(|mut lines| (lines.next().unwrap(), lines.collect::<Vec<_>>()));
        let ours = coverage().into_iter().map(|coverage| {
            let Coverage {
                service,
                served,
                refused,
                ..
            } = coverage;
            assert!(served.is_sorted(), "{service} is in the order of the names");
            assert!(
                refused.is_sorted(),
                "{service} is in the order of the names"
            );
            let mut names = [&served[..], refused].concat();
            names.sort_unstable();
            (service, names)
        });
        for ((service, names), (of_model, operations)) in ours.zip(models.clone()) {
            assert_eq!(service, of_model);
            assert_eq!(names, operations, "operations of {service}");
        }
        assert_eq!(coverage().len(), models.count());
    }

    /// A new operation fails here until its table says whether read-only keys may call it.
    #[test]
    fn what_is_named_like_a_read_is_a_read_or_gives_out_a_secret() {
        const SECRETS: [&str; 3] = [
            "ExportCertificate",
            "GetAcmeExternalAccountBindingCredentials",
            "GetPasswordData",
        ];
        for Coverage {
            service,
            served,
            reads,
            ..
        } in coverage()
        {
            let looks = |name: &&&str| {
                let prefixes = ["Describe", "Get", "List", "Search", "Export"];
                prefixes.iter().any(|prefix| name.starts_with(prefix))
            };
            let is_secret = |name: &&&str| SECRETS.contains(*name);
            let expected: Vec<_> = served
                .iter()
                .filter(looks)
                .filter(|name| !is_secret(name))
                .copied()
                .collect();
            assert_eq!(reads, expected, "the `reads` of {service}");
        }
    }
}
