//! What a single value can be: the constraints of the API's model.

use std::fmt::Display;
use std::ops::RangeInclusive;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::query::Token;

/// The shape of a plain value.
pub(crate) trait Scalar {
    /// What it reads as.
    type Value;

    /// Reads a value.
    fn parse(&self, text: &str) -> Result<Self::Value, Unfit>;

    /// The name of the shape, with an article, if nothing of this kind can be one in JSON.
    fn name_for_misfit(&self, token: Token) -> Option<&'static str>;

    /// `text` as an error may repeat it.
    fn shown(&self, text: &str) -> String {
        text.to_owned()
    }

    /// Any value; stands for one that could not be read until the request is refused.
    fn placeholder(&self) -> Self::Value;
}

/// Why a text is not a value of a shape.
pub(crate) enum Unfit {
    /// It does not have the form; says which.
    Form(&'static str),
    /// It breaks these constraints, each of which continues "Member must".
    Constraints(Vec<String>),
}

/// Any text.
pub(crate) const TEXT: Text = Text {
    length: 0..=usize::MAX,
    pattern: None,
};

/// A text of some length.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    /// In characters.
    length: RangeInclusive<usize>,
    pattern: Option<Pattern>,
}

/// A regular expression and what it accepts; the expression is printed, the function decides.
#[derive(Clone, Copy, Debug)]
struct Pattern {
    expression: &'static str,
    accepts: fn(&str) -> bool,
}

impl Text {
    /// The same with at most this many characters.
    pub(crate) const fn at_most(self, max: usize) -> Self {
        self.between(0, max)
    }

    /// The same with at least and at most this many characters.
    pub(crate) const fn between(mut self, min: usize, max: usize) -> Self {
        self.length = min..=max;
        self
    }

    /// The same with only the texts that `accepts` accepts, in the words of `expression`.
    pub(crate) const fn matching(
        mut self,
        expression: &'static str,
        accepts: fn(&str) -> bool,
    ) -> Self {
        self.pattern = Some(Pattern {
            expression,
            accepts,
        });
        self
    }
}

impl Scalar for Text {
    type Value = String;

    fn parse(&self, text: &str) -> Result<String, Unfit> {
        let mut constraints = Vec::new();
        let length = text.chars().count();
        if length > *self.length.end() {
            constraints.push(format!(
                "have length less than or equal to {}",
                self.length.end()
            ));
        }
        if length < *self.length.start() {
            constraints.push(format!(
                "have length greater than or equal to {}",
                self.length.start()
            ));
        }
        if let Some(pattern) = self.pattern.filter(|pattern| !(pattern.accepts)(text)) {
            constraints.push(format!(
                "satisfy regular expression pattern: {}",
                pattern.expression
            ));
        }
        match constraints.is_empty() {
            true => Ok(text.to_owned()),
            false => Err(Unfit::Constraints(constraints)),
        }
    }

    fn name_for_misfit(&self, token: Token) -> Option<&'static str> {
        string_for_misfit(token)
    }

    fn placeholder(&self) -> String {
        String::new()
    }
}

fn string_for_misfit(token: Token) -> Option<&'static str> {
    (token != Token::String).then_some("a String")
}

/// Whether keys and values of tags can have this text: letters, digits, separators and `_.:/=+-@`.
pub(crate) fn is_tag_text(text: &str) -> bool {
    let is_separator = |c: char| c.is_whitespace() && !c.is_control();
    text.chars()
        .all(|c| c.is_alphanumeric() || is_separator(c) || "_.:/=+-@".contains(c))
}

/// Bytes, which JSON has in base64. Errors do not repeat them: they may be secret.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Blob {
    /// Least bytes, at least one.
    pub(crate) min: usize,
    /// Most bytes.
    pub(crate) max: usize,
}

impl Scalar for Blob {
    type Value = Vec<u8>;

    fn parse(&self, text: &str) -> Result<Vec<u8>, Unfit> {
        let bytes = STANDARD.decode(text).map_err(|_| Unfit::Form("base64"))?;
        let constraint = if bytes.len() < self.min {
            format!("have length greater than or equal to {}", self.min)
        } else if bytes.len() > self.max {
            format!("have length less than or equal to {}", self.max)
        } else {
            return Ok(bytes);
        };
        Err(Unfit::Constraints(vec![constraint]))
    }

    fn name_for_misfit(&self, token: Token) -> Option<&'static str> {
        (token != Token::String).then_some("a Blob")
    }

    fn shown(&self, _text: &str) -> String {
        "(bytes)".to_owned()
    }

    fn placeholder(&self) -> Vec<u8> {
        Vec::new()
    }
}

/// Any whole number of 32 bits.
pub(crate) const INTEGER: Integer = Integer {
    min: i32::MIN,
    max: i32::MAX,
};

/// A whole number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Integer {
    min: i32,
    max: i32,
}

impl Integer {
    /// The same between both, inclusive.
    pub(crate) const fn within(self, min: i32, max: i32) -> Self {
        Self { min, max }
    }
}

impl Scalar for Integer {
    type Value = i32;

    fn parse(&self, text: &str) -> Result<i32, Unfit> {
        let number: i32 = text.parse().map_err(|_| Unfit::Form("a whole number"))?;
        let constraint = if number < self.min {
            format!("have value greater than or equal to {}", self.min)
        } else if number > self.max {
            format!("have value less than or equal to {}", self.max)
        } else {
            return Ok(number);
        };
        Err(Unfit::Constraints(vec![constraint]))
    }

    fn name_for_misfit(&self, token: Token) -> Option<&'static str> {
        (token != Token::Number).then_some("an Integer")
    }

    fn placeholder(&self) -> i32 {
        self.min
    }
}

/// Any whole number of 64 bits.
pub(crate) const LONG: Long = Long;

/// A whole number of 64 bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Long;

impl Scalar for Long {
    type Value = i64;

    fn parse(&self, text: &str) -> Result<i64, Unfit> {
        text.parse().map_err(|_| Unfit::Form("a whole number"))
    }

    fn name_for_misfit(&self, token: Token) -> Option<&'static str> {
        (token != Token::Number).then_some("a Long")
    }

    fn placeholder(&self) -> i64 {
        0
    }
}

/// A point in time as JSON has it: seconds since 1970, with or without a fraction. It reads as milliseconds.
pub(crate) const TIMESTAMP: Timestamp = Timestamp;

/// A point in time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timestamp;

impl Scalar for Timestamp {
    type Value = i64;

    fn parse(&self, text: &str) -> Result<i64, Unfit> {
        let seconds: Option<f64> = text.parse().ok();
        let millis = seconds.map(|seconds| (seconds * 1000.0).round());
        // Beyond the year 9999 there is no text for it.
        let millis = millis.filter(|millis| millis.abs() <= 253_402_300_799_999.0);
        #[expect(clippy::cast_possible_truncation, reason = "it is within bounds")]
        let millis = millis.map(|millis| millis as i64);
        millis.ok_or(Unfit::Form("a timestamp"))
    }

    fn name_for_misfit(&self, token: Token) -> Option<&'static str> {
        (token != Token::Number).then_some("a Timestamp")
    }

    fn placeholder(&self) -> i64 {
        0
    }
}

/// `true` or `false`.
pub(crate) const BOOLEAN: Boolean = Boolean;

/// `true` or `false`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Boolean;

impl Scalar for Boolean {
    type Value = bool;

    fn parse(&self, text: &str) -> Result<bool, Unfit> {
        text.parse().map_err(|_| Unfit::Form("'true' or 'false'"))
    }

    /// AWS takes some texts for one.
    fn name_for_misfit(&self, token: Token) -> Option<&'static str> {
        (token == Token::Number).then_some("a Boolean")
    }

    fn placeholder(&self) -> bool {
        false
    }
}

/// One of some values, by its text. There is at least one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OneOf<T: 'static>(pub(crate) &'static [T]);

impl<T: Copy + Display> Scalar for OneOf<T> {
    type Value = T;

    fn parse(&self, text: &str) -> Result<T, Unfit> {
        let found = self
            .0
            .iter()
            .copied()
            .find(|value| value.to_string() == text);
        found.ok_or_else(|| {
            let values: Vec<_> = self.0.iter().map(ToString::to_string).collect();
            Unfit::Constraints(vec![format!(
                "satisfy enum value set: [{}]",
                values.join(", ")
            )])
        })
    }

    fn name_for_misfit(&self, token: Token) -> Option<&'static str> {
        string_for_misfit(token)
    }

    fn placeholder(&self) -> T {
        self.0[0]
    }
}
