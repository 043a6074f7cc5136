//! The part of `docs/parity.md` that is made of the code's own tables, and the test that it is up to date.
//!
//! A parameter is refused by name if a transcript shows it: the only answers to requests with it are errors that
//! say so. Those of EC2 are tried.

mod attributes;
mod ec2;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::elbv2::tests::NEVER_ANSWERED;
use crate::operation::{Coverage, coverage};
use crate::query::Node;
use crate::{golden, rest_json};

const BEGIN: &str =
    "<!-- Written by the test `parity`, from here: change the code, not this. -->\n";
const END: &str = "<!-- To here. -->\n";
const RENEWAL: &str = "RENEW=1 cargo test -p api parity";

/// A request of a transcript with its answer.
#[derive(Clone)]
struct Block {
    operation: String,
    /// The names of its parameters, nested ones with dots and without the numbers of lists.
    parameters: BTreeSet<String>,
    request: String,
    answer: String,
}

/// What elbow makes of the parameters of one operation.
#[derive(Default)]
struct Parameters {
    works: Vec<String>,
    refused: Vec<String>,
    absent: Vec<String>,
}

#[test]
fn the_page_on_parity_says_what_the_code_does() {
    let path = root().join("docs/parity.md");
    let page = std::fs::read_to_string(&path).expect("the page is there");
    let (before, rest) = page.split_once(BEGIN).expect("the page has the first mark");
    let (_, after) = rest.split_once(END).expect("the page has the second mark");
    let renewed = format!("{before}{BEGIN}\n{}\n{END}{after}", tables());
    if std::env::var_os("RENEW").is_some() {
        std::fs::write(&path, renewed).expect("the page can be written");
        return;
    }
    let is_same = page == renewed;
    assert!(is_same, "docs/parity.md is stale; renew it with: {RENEWAL}");
}

/// Of load balancing, where nothing but the transcript shows what a parameter does; those of EC2 are tried.
#[test]
fn a_parameter_that_works_is_in_a_request_that_is_answered() {
    const SERVICE: &str = "elasticloadbalancing";
    let blocks = transcript(SERVICE);
    let all = coverage();
    let service = all.iter().find(|it| it.service == SERVICE);
    let served = service.expect("it is a service").served.iter();
    let answered = served.filter(|operation| !NEVER_ANSWERED.contains(operation));
    let missing = answered.flat_map(|operation| {
        let works = of_model(SERVICE, operation, &blocks).works;
        let is_shown = |parameter: &str| {
            let mut answered = blocks.iter().filter(|block| block.is_answered());
            answered.any(|block| block.operation == *operation && block.has(parameter))
        };
        let missing = works.into_iter().filter(move |it| !is_shown(it));
        missing.map(move |parameter| format!("{operation} {parameter}"))
    });
    assert_eq!(
        missing.collect::<Vec<_>>(),
        [""; 0],
        "elbv2/transcript.txt needs an answered request with each of these parameters"
    );
}

#[test]
fn a_parameter_is_refused_only_by_a_sentence_about_it() {
    for (sentence, path, expected) in [
        (
            "CustomerOwnedIpv4Pool is not supported by elbow yet",
            "CustomerOwnedIpv4Pool",
            true,
        ),
        (
            "You cannot set the 'IsDefault' parameter for a certificate",
            "Certificates.IsDefault",
            true,
        ),
        (
            "The IP address type 'x' is not supported on load balancers with scheme 'internal'",
            "Scheme",
            false,
        ),
    ] {
        let block = Block::parse(&format!("Action=A\nValidationError 400 {sentence}"));
        assert_eq!(
            block.expect("it is a block").refuses(path),
            expected,
            "{sentence}"
        );
    }
}

fn tables() -> String {
    let mut text = String::new();
    for service in coverage() {
        let blocks = transcript(service.service);
        write!(
            text,
            "### {} {}\n\n",
            title(service.service),
            service.version
        )
        .unwrap();
        text += "| operation | parameters | refused by name | not there | proved by |\n| --- | --- | --- | --- | --- |\n";
        for operation in &service.served {
            let parameters = match service.service {
                "ec2" => ec2::parameters(operation, &blocks),
                name => of_model(name, operation, &blocks),
            };
            let columns = [&parameters.works, &parameters.refused, &parameters.absent].map(names);
            let proof = proof(service.service, operation, &blocks);
            writeln!(
                text,
                "| `{operation}` | {} | {proof} |",
                columns.join(" | ")
            )
            .unwrap();
        }
        writeln!(text, "\n{}\n", others(&service)).unwrap();
    }
    text += &attributes::tables();
    text.trim_end().to_owned() + "\n"
}

fn title(service: &str) -> &str {
    match service {
        "elasticloadbalancing" => "Elastic Load Balancing",
        "ec2" => "EC2",
        "sts" => "STS",
        "acm" => "ACM",
        "arc-zonal-shift" => "ARC zonal shift",
        other => other,
    }
}

fn others(service: &Coverage) -> String {
    match service.refused {
        [] => "That is every operation of the API.".to_owned(),
        // A list of hundreds of names tells less than the table above.
        all if all.len() > 100 => format!(
            "The API's other {} operations are refused by name.",
            all.len()
        ),
        few => format!("Refused by name: {}.", names(few)),
    }
}

fn names(list: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let quoted = list.into_iter().map(|name| format!("`{}`", name.as_ref()));
    quoted.collect::<Vec<_>>().join(", ")
}

/// The parameters of an operation of which every one is read, as a test of the service makes sure.
fn of_model(service: &str, operation: &str, blocks: &[Block]) -> Parameters {
    let mut parameters = Parameters::default();
    for path in members(service, operation) {
        let with_it = || {
            let of_operation = blocks.iter().filter(|block| block.operation == operation);
            of_operation.filter(|block| block.parameters.contains(&path))
        };
        let is_refused =
            !with_it().any(Block::is_answered) && with_it().any(|it| it.refuses(&path));
        let first = path.split('.').next().unwrap_or(&path).to_owned();
        if is_refused {
            parameters.refused.push(path);
        } else if !parameters.works.contains(&first) {
            parameters.works.push(first);
        }
    }
    parameters
}

/// The members of an operation's input with those of their structures.
fn members(service: &str, operation: &str) -> Vec<String> {
    match service {
        "elasticloadbalancing" => {
            let forms = include_str!("../tests/vectors/elbv2_members.txt").lines();
            let action = format!("Action={operation}");
            let form = forms.map(|form| form.split('&').collect::<Vec<_>>());
            let form = form.filter(|form| form[0] == action).flatten().skip(1);
            form.map(plain_path).collect()
        }
        "acm" | "arc-zonal-shift" => {
            let text = match service {
                "acm" => include_str!("../tests/vectors/acm_members.txt"),
                _ => include_str!("../tests/vectors/arc-zonal-shift_members.txt"),
            };
            let examples = text.lines().filter_map(|line| line.split_once(' '));
            let example = examples
                .filter(|(name, _)| *name == operation)
                .map(|(_, input)| input);
            example.flat_map(keys).collect()
        }
        // The one operation of STS has no parameters.
        _ => Vec::new(),
    }
}

/// `Tags.member.1.Key=x` is `Tags.Key`.
fn plain_path(parameter: &str) -> String {
    let name = parameter.split('=').next().unwrap_or_default();
    let is_name =
        |part: &&str| !matches!(*part, "member" | "entry") && part.parse::<u32>().is_err();
    name.split('.')
        .filter(is_name)
        .collect::<Vec<_>>()
        .join(".")
}

fn keys(json: &str) -> Vec<String> {
    match serde_json::from_str(json) {
        Ok(serde_json::Value::Object(map)) => map.into_iter().map(|(key, _)| key).collect(),
        _ => Vec::new(),
    }
}

fn transcript(service: &str) -> Vec<Block> {
    let folder = match service {
        "elasticloadbalancing" => "elbv2",
        "ec2" => "ec2",
        "acm" => "acm",
        "arc-zonal-shift" => "arc_zonal_shift",
        // The one operation of STS is told by its test.
        _ => return Vec::new(),
    };
    let text = golden::transcript(&format!("{folder}/transcript.txt"));
    text.split("\n\n")
        .filter_map(|block| Block::parse(block.trim()))
        .collect()
}

impl Block {
    fn parse(block: &str) -> Option<Self> {
        let (request, answer) = block.split_once('\n')?;
        let (operation, parameters) = match request.strip_prefix("Action=") {
            Some(form) => {
                let (operation, form) = form.split_once('&').unwrap_or((form, ""));
                (operation, form.split('&').map(plain_path).collect())
            }
            None => {
                let (operation, input) = routed(request).or_else(|| request.split_once(' '))?;
                (operation, keys(input).into_iter().collect())
            }
        };
        Some(Self {
            operation: operation.to_owned(),
            parameters,
            request: request.to_owned(),
            answer: answer.to_owned(),
        })
    }

    /// Whether the request has this parameter, or a member of it.
    fn has(&self, parameter: &str) -> bool {
        let first = |path: &String| path.split('.').next() == Some(parameter);
        self.parameters.iter().any(first)
    }

    fn is_answered(&self) -> bool {
        // An answer to a request with a path begins with its status.
        self.answer.starts_with(['<', '{', '2']) || self.answer == "(nothing)"
    }

    /// Whether the answer says of this parameter, in whatever spelling, that it cannot be given. A sentence about it
    /// begins with its name: others name it on the way, to say which of its values another parameter does not go with.
    fn refuses(&self, path: &str) -> bool {
        const NO: [&str; 5] = [
            "cannotbespecified",
            "canonly",
            "cannotset",
            "notsupported",
            "supportedonly",
        ];
        // What stands before the name, in this order, and each only maybe.
        const BEFORE: [&str; 5] = ["you", "cannotset", "canonlyspecify", "the", "'"];
        // A code and a status, then the sentence.
        let sentence = self.answer.splitn(3, ' ').nth(2).unwrap_or_default();
        let squeezed = sentence.replace(' ', "").to_lowercase();
        let begin = |rest, before| str::strip_prefix(rest, before).unwrap_or(rest);
        let subject = BEFORE.into_iter().fold(&*squeezed, begin);
        let is_named = |part: &str| match part {
            // AWS's text does not repeat the name.
            "AllocationId" => subject.starts_with("elasticips"),
            part => subject.starts_with(&part.to_lowercase()),
        };
        !self.is_answered()
            && NO.iter().any(|no| squeezed.contains(no))
            && path.split('.').any(is_named)
    }
}

/// The operation of a request such as `GET /things?size=3 {}`, and its body.
fn routed(request: &str) -> Option<(&'static str, &str)> {
    let (method, rest) = request.split_once(' ')?;
    let (target, body) = rest.split_once(' ').unwrap_or((rest, ""));
    let path = target.split('?').next()?;
    let routes = crate::arc_zonal_shift::ROUTES;
    let routed = rest_json::decode(routes, (method, path), &Node::default(), b"");
    Some((routed.ok()?.0.name, body))
}

/// Where an operation is shown to work.
fn proof(service: &str, operation: &str, blocks: &[Block]) -> String {
    if blocks.iter().any(|block| block.operation == operation) {
        let module = match service {
            "elasticloadbalancing" => "elbv2".to_owned(),
            other => other.replace('-', "_"),
        };
        return format!("`{module}/transcript.txt`");
    }
    let directory = root().join("tests");
    let entries = std::fs::read_dir(&directory).expect("the tests are there");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("it can be read").path())
        .collect();
    // Tests of other things call operations by the way.
    let own = format!("test_{}", service.replace('-', "_"));
    files.sort_by_key(|path| (path.file_stem() != Some(own.as_ref()), path.clone()));
    let (snake, kebab) = (separated(operation, '_'), separated(operation, '-'));
    let calls = |path: &&PathBuf| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.contains(&format!(".{snake}(")) || text.contains(&format!("\"{kebab}\""))
    };
    let found = files.iter().find(calls);
    let found = found.unwrap_or_else(|| panic!("no test calls {operation}"));
    format!(
        "`tests/{}`",
        found.file_name().unwrap_or_default().to_string_lossy()
    )
}

/// `ListZonalShifts` as `list_zonal_shifts`.
fn separated(operation: &str, separator: char) -> String {
    let mut text = String::new();
    for letter in operation.chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push(separator);
        }
        text.extend(letter.to_lowercase());
    }
    text
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
