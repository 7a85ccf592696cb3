use leptos::prelude::*;

/// A text in which the places that contain the search are marked.
pub fn mark_matches(text: &str, search: &str) -> AnyView {
    let parts = split_at_matches(text, search);
    if parts.len() == 1 {
        return text.to_owned().into_any();
    }
    let parts = parts.into_iter().map(str::to_owned).enumerate().filter(|(_, part)| !part.is_empty());
    parts
        .map(|(index, part)| if index % 2 == 1 { view! { <mark>{part}</mark> }.into_any() } else { part.into_any() })
        .collect::<Vec<_>>()
        .into_any()
}

/// Splits a text at the places that contain `search`, as the server finds them: whatever the case, and without joiners.
/// Every second part is such a place.
fn split_at_matches<'a>(text: &'a str, search: &str) -> Vec<&'a str> {
    let wanted: Vec<char> = search.trim().chars().flat_map(fold).collect();
    // Each folded character with the range of its original.
    let folded: Vec<(char, usize, usize)> = text
        .char_indices()
        .flat_map(|(from, c)| fold(c).map(move |folded| (folded, from, from + c.len_utf8())))
        .collect();
    let (mut parts, mut begin, mut at) = (Vec::new(), 0, 0);
    while !wanted.is_empty() && at + wanted.len() <= folded.len() {
        let place = &folded[at..at + wanted.len()];
        let (from, to) = (place[0].1, place[place.len() - 1].2);
        if from >= begin && place.iter().map(|(c, ..)| c).eq(&wanted) {
            parts.extend([&text[begin..from], &text[from..to]]);
            begin = to;
            at += wanted.len();
        } else {
            at += 1;
        }
    }
    parts.push(&text[begin..]);
    parts
}

fn fold(c: char) -> impl Iterator<Item = char> {
    c.to_lowercase().filter(|c| !matches!(c, '\u{200C}' | '\u{200D}'))
}

#[cfg(test)]
mod tests {
    use super::split_at_matches;

    #[test]
    fn matches_are_every_second_part() {
        for (text, search, parts) in [
            ("Fix the roof", "ROOF", vec!["Fix the ", "roof", ""]),
            ("aaa", "a", vec!["", "a", "", "a", "", "a", ""]),
            ("aaa", "aa", vec!["", "aa", "a"]),
            ("İstanbul", "i̇S", vec!["", "İs", "tanbul"]),
            ("می\u{200C}خواهم", "میخ", vec!["", "می\u{200C}خ", "واهم"]),
            ("ΣΊΣΥΦΟΣ", "ίσυ", vec!["Σ", "ΊΣΥ", "ΦΟΣ"]),
            ("50%", " % ", vec!["50", "%", ""]),
            ("nothing", "x", vec!["nothing"]),
            ("everything", "", vec!["everything"]),
            ("", "x", vec![""]),
        ] {
            assert_eq!(split_at_matches(text, search), parts, "{search} in {text}");
        }
    }
}
