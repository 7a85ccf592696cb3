//! The data that a page embeds for hydration: identical to the stored data, and not executable.

use serde_json::Value;

use crate::support::{app::each_db, client::Client};

/// Decodes a JavaScript string literal that begins after its opening quote. Returns the text and the rest behind it.
fn unescape(literal: &str) -> (String, &str) {
    let (mut text, mut rest) = (String::new(), literal.char_indices());
    while let Some((at, c)) = rest.next() {
        match c {
            '"' => return (text, &literal[at + 1..]),
            '\n' | '\r' => panic!("a literal ends with its line"),
            '\\' => text.push(match rest.next().expect("an escape").1 {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                '0' => {
                    assert!(!literal[at + 2..].starts_with(|c: char| c.is_ascii_digit()), "an octal escape");
                    '\0'
                }
                'u' => {
                    let digits = &literal[at + 2..];
                    let (digits, length) = match digits.strip_prefix('{') {
                        Some(digits) => {
                            let end = digits.find('}').expect("a closed escape");
                            (&digits[..end], end + 2)
                        }
                        None => (&digits[..4], 4),
                    };
                    for _ in 0..length {
                        rest.next();
                    }
                    let code = u32::from_str_radix(digits, 16).expect("hexadecimal digits");
                    char::from_u32(code).expect("a character")
                }
                same @ ('"' | '\'' | '\\' | '/') => same,
                other => panic!("no escape of JavaScript: {other}"),
            }),
            c => text.push(c),
        }
    }
    panic!("a literal without an end")
}

/// All strings in the data that a page embeds.
fn embedded_strings(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = page;
    while let Some((_, after)) = rest.split_once("__RESOLVED_RESOURCES[") {
        let Some((_, literal)) = after.split_once("] = \"") else { break };
        let (text, behind) = unescape(literal);
        collect(&serde_json::from_str(&text).expect("JSON"), &mut found);
        rest = behind;
    }
    found
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| collect(value, found)),
        Value::Object(fields) => fields.values().for_each(|value| collect(value, found)),
        _ => {}
    }
}

/// Checks that all scripts of the page have a nonce and none comes from user text.
fn assert_only_own_scripts(page: &str) {
    for script in page.split("<script").skip(1) {
        let tag = script.split('>').next().unwrap_or_default();
        assert!(tag.contains("nonce=\""), "a script of somebody else: <script{tag}>");
    }
    assert!(!page.to_lowercase().contains("<!--<script") && !page.contains("<img src=x"));
}

async fn page(client: &mut Client, path: &str) -> String {
    let answer = client.get(path).await;
    assert_eq!(answer.status, 200, "{path}");
    answer.text()
}

each_db! {
    async fn h10_embedded_data_cannot_break_out_and_is_byte_exact(app: TestApp) {
        let mut ada = app.administrator().await;
        let payloads = [
            "</script><script>alert(1)</script>",
            "<!--<script>alert(1)//",
            "]]> {{7*7}} ${x} `\\u0041` \\0 \\x41",
            "\u{1}7 \u{7f}8 \u{2028}\u{2029}\u{feff} \u{fffe}\u{200b}",
            "'\"><img src=x onerror=alert(1)>",
            "👩‍👩‍👧‍👦 e\u{301} שלום \u{202e}evil",
            "line\r\nbreak\rand\nmore\t\"quoted\" \\ back",
        ];
        for payload in payloads {
            let sent = ada.send_message(None, payload).await;
            ada.wait_for_answer(sent.chat).await;
            let text = page(&mut ada, &format!("/chats/{}", sent.chat)).await;
            assert_only_own_scripts(&text);
            assert!(embedded_strings(&text).iter().any(|carried| carried == payload), "{payload:?} in {:?}", embedded_strings(&text));
            assert_only_own_scripts(&page(&mut ada, "/sessions").await);
        }
        for name in ["</script><b>Ada", "Ada ${x}", "\"Ada\" 'L' \\0"] {
            assert_eq!(ada.post_form("/api/change_name", &[("name", name)]).await.status, 200);
            let text = page(&mut ada, "/settings").await;
            assert_only_own_scripts(&text);
            assert!(embedded_strings(&text).iter().any(|carried| carried == name), "{name}");
        }
    }
}
