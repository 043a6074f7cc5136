//! Answers as the tests' transcripts have them.

/// Each element on a line of its own, two spaces deeper than the one around it.
pub(crate) fn indented(xml: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut depth = 0;
    for tag in xml.split('<').skip(1) {
        let (name, text) = tag.split_once('>').expect("a whole tag");
        match name.strip_prefix('/') {
            // The end of an element that has no elements in it stays on its line.
            Some(_)
                if lines
                    .last()
                    .is_some_and(|line| is_open(line, &name[1..], depth - 1)) =>
            {
                depth -= 1;
                let line = lines.last_mut().expect("there is a line");
                line.push_str(&format!("<{name}>"));
            }
            Some(_) => {
                depth -= 1;
                lines.push(format!("{}<{name}>", "  ".repeat(depth)));
            }
            None => {
                lines.push(format!("{}<{name}>{text}", "  ".repeat(depth)));
                depth += 1;
            }
        }
    }
    lines.join("\n")
}

fn is_open(line: &str, name: &str, depth: usize) -> bool {
    let line = line.strip_prefix(&"  ".repeat(depth)).unwrap_or(line);
    line.starts_with(&format!("<{name}>")) && !line.contains("</")
}
