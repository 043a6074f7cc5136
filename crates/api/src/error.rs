//! The one error that leaves this crate: a code, a status and a sentence.
//!
//! Every error of a layer below becomes an [`ApiError`] in one exhaustive `match` of the service that
//! answers; the envelope around it is the business of [`crate::xml`].

/// What a caller is told when a request fails.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code} ({status}): {message}")]
pub struct ApiError {
    /// The AWS error code, such as `LoadBalancerNotFound`; clients decide by it.
    pub code: &'static str,
    /// The HTTP status: 400 to 499 when the caller has to change something, 500 to 599 when not.
    pub status: u16,
    /// What is wrong and what to do about it.
    pub message: String,
    /// Other members of the error, such as `reason`, which the JSON protocols have.
    pub members: Vec<(&'static str, String)>,
}

impl ApiError {
    /// An error with the status 400, which nearly every error of a caller has.
    pub fn sender(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, 400, message)
    }

    /// An error with a status of its own.
    pub fn new(code: &'static str, status: u16, message: impl Into<String>) -> Self {
        Self {
            code,
            status,
            message: message.into(),
            members: Vec::new(),
        }
    }

    /// The same error with another member.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.members.push((name, value.to_string()));
        self
    }

    /// `ValidationError`, the code for every broken rule that has no code of its own.
    pub fn validation(message: impl Into<String>) -> Self {
        Self::sender("ValidationError", message)
    }

    /// `InternalFailure`, 500: the caller did nothing wrong and may repeat the request.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new("InternalFailure", 500, message)
    }

    /// Writes `members` into the body of a JSON protocol.
    pub(crate) fn write_members(&self, body: &mut serde_json::Value) {
        for (name, value) in &self.members {
            body[*name] = serde_json::Value::from(value.as_str());
        }
    }

    /// Whose fault the envelope says it is: `Sender` below 500, else `Receiver`.
    pub fn fault(&self) -> &'static str {
        if self.status < 500 {
            "Sender"
        } else {
            "Receiver"
        }
    }
}
