//! Which of many nouns a Describe operation shows.
//!
//! A noun has a table of filters: a name, and the texts of the noun that a value is compared with. A noun
//! is shown if every filter has a value that matches one of these texts.
//! Source: EC2 User Guide, "Filter the resources": `*` and `?` are wildcards, `\` takes their meaning away,
//! values are compared by case, at most 200 values in a call. A filter without values is true of nothing; tools send
//! one for what an empty list of theirs names.

use model::ec2::Tags;

use crate::ec2::Ec2Error;

/// How many values the filters of one call may have together.
pub const FILTER_VALUES_MAX: usize = 200;

/// One filter of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Such as `vpc-id`, `tag:Name` or `tag-key`.
    pub name: String,
    /// Patterns; one of them has to match.
    pub values: Vec<String>,
}

/// The filter called `name` compares with what `texts` finds in a noun.
pub(crate) struct Column<T: ?Sized> {
    /// The name in a request.
    pub(crate) name: &'static str,
    /// The texts; none if the noun lacks the fact.
    pub(crate) texts: fn(&T) -> Vec<String>,
}

impl<T: ?Sized> Column<T> {
    pub(crate) const fn new(name: &'static str, texts: fn(&T) -> Vec<String>) -> Self {
        Self { name, texts }
    }
}

/// The filters of one operation.
pub(crate) struct Filters<T: ?Sized + 'static> {
    /// Those with a fixed name.
    pub(crate) columns: &'static [Column<T>],
    /// Names of facts that nothing here ever has, so that filters by them find nothing.
    pub(crate) absent: &'static [&'static str],
    /// What `tag:<key>`, `tag-key` and `tag-value` look at; `None` if the nouns have no tags.
    pub(crate) tags: Option<fn(&T) -> &Tags>,
}

impl<T: ?Sized> Filters<T> {
    /// The test that `filters` put to a noun.
    ///
    /// # Errors
    /// `InvalidFilter` for a name without a meaning here, and `TooManyFilterValues`.
    pub(crate) fn parse<'a>(
        &self,
        filters: &'a [Filter],
    ) -> Result<impl Fn(&T) -> bool + use<'a, T>, Ec2Error> {
        if filters
            .iter()
            .map(|filter| filter.values.len())
            .sum::<usize>()
            > FILTER_VALUES_MAX
        {
            return Err(Ec2Error::TooManyFilterValues(FILTER_VALUES_MAX));
        }
        let tests: Vec<(Subject<'a, T>, &'a [String])> = filters
            .iter()
            .map(|filter| Ok((self.subject(&filter.name)?, filter.values.as_slice())))
            .collect::<Result<_, Ec2Error>>()?;
        Ok(move |noun: &T| {
            tests
                .iter()
                .all(|(subject, values)| subject.matches(noun, values))
        })
    }

    fn subject<'a>(&self, name: &'a str) -> Result<Subject<'a, T>, Ec2Error> {
        let column = self.columns.iter().find(|column| column.name == name);
        match (column, self.tags, name.strip_prefix("tag:")) {
            (Some(column), _, _) => Ok(Subject::Texts(column.texts)),
            (None, Some(tags), Some(key)) => Ok(Subject::Tag(tags, key)),
            (None, Some(tags), None) if name == "tag-key" => Ok(Subject::TagKeys(tags)),
            // AWS documents it for no operation any more, and knows it all the same.
            (None, Some(tags), None) if name == "tag-value" => Ok(Subject::TagValues(tags)),
            _ if self.absent.contains(&name) => Ok(Subject::Texts(|_| Vec::new())),
            _ => Err(Ec2Error::InvalidFilter(name.to_owned())),
        }
    }
}

/// What a filter compares its values with.
enum Subject<'a, T: ?Sized> {
    Texts(fn(&T) -> Vec<String>),
    Tag(fn(&T) -> &Tags, &'a str),
    TagKeys(fn(&T) -> &Tags),
    TagValues(fn(&T) -> &Tags),
}

impl<T: ?Sized> Subject<'_, T> {
    fn matches(&self, noun: &T, values: &[String]) -> bool {
        let is_wanted = |text: &str| values.iter().any(|value| matches(value, text));
        match self {
            Self::Texts(texts) => texts(noun).iter().any(|text| is_wanted(text)),
            Self::Tag(tags, key) => tags(noun).get(*key).is_some_and(|value| is_wanted(value)),
            Self::TagKeys(tags) => tags(noun).keys().any(|key| is_wanted(key)),
            Self::TagValues(tags) => tags(noun).values().any(|value| is_wanted(value)),
        }
    }
}

/// Whether `pattern` stands for the whole of `text`. Takes time in proportion to the product of both
/// lengths at most, whatever the pattern.
fn matches(pattern: &str, text: &str) -> bool {
    let pattern = parse(pattern);
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // Where to go on when what follows the latest `*` does not fit: the star takes one more character.
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(Token::Any) => {
                retry = Some((p, t));
                p += 1;
                continue;
            }
            Some(token) if token.is(text[t]) => {
                p += 1;
                t += 1;
                continue;
            }
            _ => {}
        }
        let Some((star, taken)) = retry else {
            return false;
        };
        retry = Some((star, taken + 1));
        p = star + 1;
        t = taken + 1;
    }
    pattern[p..].iter().all(|token| matches!(token, Token::Any))
}

enum Token {
    /// `*`
    Any,
    /// `?`
    One,
    Literal(char),
}

impl Token {
    fn is(&self, c: char) -> bool {
        match self {
            Self::Any => false,
            Self::One => true,
            Self::Literal(literal) => *literal == c,
        }
    }
}

fn parse(pattern: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut characters = pattern.chars();
    while let Some(c) = characters.next() {
        tokens.push(match c {
            '*' => Token::Any,
            '?' => Token::One,
            '\\' => Token::Literal(characters.next().unwrap_or('\\')),
            c => Token::Literal(c),
        });
    }
    tokens
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn wildcards_stand_for_any_text_and_any_character() {
        for (pattern, text, is_match) in [
            ("web", "web", true),
            ("web", "Web", false),
            ("web", "webs", false),
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "anything", true),
            ("w*", "web", true),
            ("*b", "web", true),
            ("*e*", "web", true),
            ("w*b*s", "webs", true),
            ("w*b*s", "web", false),
            ("a*ab", "aaab", true),
            ("w?b", "web", true),
            ("w?b", "wb", false),
            ("?", "é", true),
            (r"\*", "*", true),
            (r"\*", "a", false),
            (r"\?", "?", true),
            (r"a\\b", r"a\b", true),
            (r"a\", r"a\", true),
        ] {
            assert_eq!(matches(pattern, text), is_match, "{pattern:?} on {text:?}");
        }
    }

    #[test]
    fn a_hostile_pattern_takes_no_exponential_time() {
        let pattern = "a*".repeat(60) + "b";
        assert!(!matches(&pattern, &"a".repeat(2000)));
    }

    /// The meaning of a pattern, tried in every way.
    fn matches_slowly(pattern: &[char], text: &[char]) -> bool {
        match (pattern, text) {
            ([], text) => text.is_empty(),
            (['*', rest @ ..], text) => {
                (0..=text.len()).any(|at| matches_slowly(rest, &text[at..]))
            }
            (['\\', literal, rest @ ..], [c, others @ ..]) => {
                literal == c && matches_slowly(rest, others)
            }
            (['?', rest @ ..], [_, others @ ..]) => matches_slowly(rest, others),
            ([literal, rest @ ..], [c, others @ ..]) => {
                literal == c && matches_slowly(rest, others)
            }
            (_, []) => false,
        }
    }

    proptest! {
        #[test]
        fn patterns_match_as_their_meaning_says(pattern in r"[ab*?\\]{0,7}", text in r"[ab*\\]{0,7}") {
            let chars = |text: &str| text.chars().collect::<Vec<char>>();
            let expected = matches_slowly(&chars(&pattern), &chars(&text));
            prop_assert_eq!(matches(&pattern, &text), expected);
        }
    }

    struct Noun {
        names: Vec<String>,
        tags: Tags,
    }

    const FILTERS: Filters<Noun> = Filters {
        columns: &[Column {
            name: "name",
            texts: |noun| noun.names.clone(),
        }],
        absent: &["platform"],
        tags: Some(|noun| &noun.tags),
    };

    fn check(filters: &[(&str, &[&str])], shown: Result<bool, &str>) {
        let noun = Noun {
            names: vec!["one".into(), "two".into()],
            tags: [("Owner".to_owned(), "TeamA".to_owned())].into(),
        };
        let filters: Vec<Filter> = filters
            .iter()
            .map(|(name, values)| Filter {
                name: (*name).to_owned(),
                values: values.iter().map(|value| (*value).to_owned()).collect(),
            })
            .collect();
        let found = FILTERS
            .parse(&filters)
            .map(|test| test(&noun))
            .map_err(|error| error.to_string());
        assert_eq!(found, shown.map_err(str::to_owned), "{filters:?}");
    }

    #[test]
    fn every_filter_needs_one_value_that_matches() {
        check(&[], Ok(true));
        check(&[("name", &["two"])], Ok(true));
        check(&[("name", &["three", "o*"])], Ok(true));
        check(&[("name", &["three"])], Ok(false));
        check(&[("name", &["one"]), ("name", &["two"])], Ok(true));
        check(&[("name", &["one"]), ("tag-key", &["Nobody"])], Ok(false));
    }

    #[test]
    fn tags_are_filtered_by_key_and_by_value() {
        check(&[("tag:Owner", &["Team?"])], Ok(true));
        check(&[("tag:Owner", &["TeamB"])], Ok(false));
        check(&[("tag:owner", &["TeamA"])], Ok(false));
        check(&[("tag-key", &["Own*"])], Ok(true));
        check(&[("tag-key", &["TeamA"])], Ok(false));
        check(&[("tag-value", &["Team?"])], Ok(true));
        check(&[("tag-value", &["Owner"])], Ok(false));
    }

    #[test]
    fn a_fact_that_nothing_has_matches_nothing() {
        check(&[("platform", &["*"])], Ok(false));
    }

    #[test]
    fn a_filter_without_values_matches_nothing() {
        check(&[("name", &[])], Ok(false));
        check(&[("tag:Owner", &[])], Ok(false));
        check(&[("name", &["one"]), ("tag-key", &[])], Ok(false));
    }

    #[test]
    fn filters_that_mean_nothing_are_refused() {
        check(
            &[("colour", &["red"])],
            Err("The filter 'colour' is invalid"),
        );
        check(&[("tag", &["red"])], Err("The filter 'tag' is invalid"));
        check(&[("colour", &[])], Err("The filter 'colour' is invalid"));
        let many = vec!["x"; FILTER_VALUES_MAX + 1];
        check(
            &[("name", &many)],
            Err("The maximum number of filter values specified on a single call is 200"),
        );
    }
}
