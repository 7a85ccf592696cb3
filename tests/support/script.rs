//! The behaviours of the scripted upstream. A behaviour is chosen by the model's name (`paced-200-20`). One in double
//! brackets in the last user message (`[[paced 200 20]]`) takes precedence over the model's name.
//!
//! | behaviour | what happens (defaults in brackets) |
//! |---|---|
//! | `paced N MS` | N tokens [50], one every MS milliseconds [20], the first immediately |
//! | `fast N` | N tokens [500] without a pause, 32 in one write |
//! | `slow MS N` | nothing for MS milliseconds [1000], then N tokens [5] |
//! | `echo` | the last user message, in chunks of three characters |
//! | `bytes` | the same, with each byte of the stream in a separate write |
//! | `mixed` | a text with CR, LF and CRLF line breaks |
//! | `reasoning FIELD` | reasoning in FIELD [reasoning_content], then 5 tokens |
//! | `ponder MS` | three pieces of reasoning, with a pause of MS milliseconds [100] after each, then 5 tokens |
//! | `think` | reasoning between tags in the content, with chunk borders inside the tags, then 5 tokens |
//! | `lone` | reasoning in the content without an opening tag, its closing tag split in two, then 5 tokens |
//! | `thoughts` | reasoning only, ended by the token limit |
//! | `withheld N` | N tokens [5], ended by the provider's content filter |
//! | `each MS` | 5 tokens, each with the finish reason `stop`, and a pause of MS milliseconds [1000] in the middle |
//! | `broken` | 3 tokens, each with the finish reason `stop`, then the connection breaks |
//! | `stalled` | 3 tokens, each with the finish reason `stop`, then nothing |
//! | `counts` | 5 tokens, then usage counts that are null |
//! | `whole` | HTTP 200 with the whole answer of 5 tokens as one JSON object |
//! | `busy` | HTTP 200 with a JSON error of code 429, without the `error` wrapper |
//! | `long` | HTTP 400: context length exceeded |
//! | `key` | HTTP 400: invalid API key, in a list |
//! | `nosystem` | HTTP 400 for messages with the role `system`, otherwise 5 tokens |
//! | `nostream` | HTTP 400 for streams, otherwise the whole answer as one JSON object |
//! | `status N` | HTTP status N [500] with an error object that repeats the key |
//! | `html` | HTTP 200 with an HTML page |
//! | `json` | HTTP 200 with an error object instead of a stream |
//! | `redirect` | HTTP 307 to `/elsewhere`, which counts as a request |
//! | `hang` | no response |
//! | `stall N` | N tokens [5], then nothing |
//! | `cut N` | N tokens [5], then the connection breaks |
//! | `eof N` | N tokens [5], then a clean end without a finish reason and without `[DONE]` |
//! | `done N` | N tokens [5], then `[DONE]` without a finish reason |
//! | `last N` | N tokens [5], a finish reason, and a clean end without `[DONE]` |
//! | `open N` | N tokens [5], a finish reason, then nothing, with the connection open |
//! | `length N` | N tokens [5], ended by the token limit |
//! | `error CODE N` | N tokens [5], then an error object with CODE [500] |
//! | `garbled N` | N tokens [5], then an event that is not JSON |
//! | `binary N` | N tokens [5], then an event that is not UTF-8 |
//! | `line N` | 5 tokens, then a line of N bytes [10000000] |
//! | `flood` | endless tokens |
//! | `empty` | no tokens, and a regular end |
//! | `odd` | two objects in one event, broken and unknown tool calls, `event: execute`, comments, unknown fields |
//! | `plain N` | HTTP 400 for `stream_options`, otherwise N tokens [5] |
//! | `titled BEHAVIOUR` | 5 tokens; a request for a title of the chat is answered by this behaviour |
//! | `say WORDS` | these words |
//!
//! Any other model answers `You said: ` and the message, one word every 10 milliseconds.

use std::{iter, time::Duration};

use axum::body::Bytes;
use serde_json::json;

/// One step of a scripted response.
pub enum Step {
    /// Write these bytes.
    Send(Bytes),
    /// Write these bytes, and record the time if this is the first token.
    Token(Bytes),
    /// Flush, and wait.
    Wait(Duration),
    /// Send nothing more, and keep the connection open.
    Hang,
    /// Break the connection.
    Cut,
}

/// The steps after the head of the response.
pub type Steps = Box<dyn Iterator<Item = Step> + Send>;

/// How a request is answered.
pub enum Reply {
    /// With a stream of events.
    Stream(Steps),
    /// With this status, content type and body.
    Plain(u16, &'static str, String),
    /// Never.
    Silence,
}

/// The text of `count` tokens, as written by all behaviours with a token count.
pub fn text(count: usize) -> String {
    (0..count).map(word).collect()
}

/// The words of an endless Markdown text.
fn word(index: usize) -> &'static str {
    const WORDS: [&str; 16] = [
        "The ",
        "quick ",
        "brown ",
        "fox ",
        "jumps ",
        "over ",
        "the ",
        "**lazy** ",
        "dog, ",
        "and ",
        "then ",
        "it ",
        "rests ",
        "a ",
        "while.",
        "\n\n",
    ];
    WORDS[index % WORDS.len()]
}

/// One event with a chunk of an answer in `field`.
pub fn event(field: &str, piece: &str) -> Bytes {
    let piece = json!(piece);
    Bytes::from(format!(
        "data: {{\"id\":\"chatcmpl-0\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"scripted\",\
         \"choices\":[{{\"index\":0,\"delta\":{{\"{field}\":{piece}}},\"finish_reason\":null}}]}}\n\n"
    ))
}

fn send(text: impl Into<String>) -> Step {
    Step::Send(Bytes::from(text.into()))
}

fn tokens(count: usize) -> impl Iterator<Item = Step> + Send {
    tokens_in("content", count)
}

fn tokens_in(field: &'static str, count: usize) -> impl Iterator<Item = Step> + Send {
    (0..count).map(move |index| Step::Token(event(field, word(index))))
}

/// The same text as one JSON object.
fn whole(count: usize) -> String {
    let message = json!({"role": "assistant", "content": text(count)});
    let usage = json!({"prompt_tokens": 7, "completion_tokens": count});
    let choices = json!([{"index": 0, "message": message, "finish_reason": "stop"}]);
    json!({"id": "chatcmpl-0", "object": "chat.completion", "choices": choices, "usage": usage}).to_string()
}

/// The refusal of a request that the behaviour does not support.
pub fn refusal(words: &[String], has_system: bool, is_stream: bool) -> Option<Reply> {
    let message = match words.first().map(String::as_str) {
        Some("nosystem") if has_system => "System role not supported",
        Some("nostream") if is_stream => "Streaming is not supported by this model",
        Some("whole" | "nostream") => return None,
        _ if !is_stream => "only streams are scripted",
        _ => return None,
    };
    Some(Reply::Plain(400, "application/json", json!({"error": {"message": message}}).to_string()))
}

fn reason(reason: &str) -> Step {
    send(format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{}},\"finish_reason\":\"{reason}\"}}]}}\n\n"))
}

/// The end of a stream: a finish reason, the usage if it was requested, and `[DONE]`.
fn end(reason_name: &str, usage: Option<usize>) -> impl Iterator<Item = Step> + Send + use<> {
    let counts = usage.map(|count| {
        send(format!("data: {{\"choices\":[],\"usage\":{{\"prompt_tokens\":7,\"completion_tokens\":{count}}}}}\n\n"))
    });
    iter::once(reason(reason_name)).chain(counts).chain(iter::once(send("data: [DONE]\n\n")))
}

/// The words of the behaviour that a request chooses.
pub fn chosen(model: &str, last: &str) -> Vec<String> {
    let in_message = last.split_once("[[").and_then(|(_, rest)| rest.split_once("]]"));
    match in_message {
        Some((words, _)) => words.split_whitespace().map(str::to_owned).collect(),
        None => model.split('-').map(str::to_owned).collect(),
    }
}

/// The reply of a behaviour. `usage`: the request asks for usage counts. `key`: the API key in the request.
pub fn reply(words: &[String], last: &str, usage: bool, key: &str) -> Reply {
    let name = words.first().map_or("", String::as_str);
    let word = |place: usize| words.get(place).map(String::as_str);
    let number = |place: usize, otherwise: usize| word(place).and_then(|text| text.parse().ok()).unwrap_or(otherwise);
    let millis = |place: usize, otherwise: usize| Duration::from_millis(number(place, otherwise) as u64);
    let count = number(1, 5);
    let full = |steps: Steps, count: usize| -> Steps { Box::new(steps.chain(end("stop", usage.then_some(count)))) };
    let error = || json!({"error": {"message": format!("wrong: {key} {last}"), "type": "scripted_error"}}).to_string();
    let steps: Steps = match name {
        "paced" => full(paced(number(1, 50), millis(2, 20)), number(1, 50)),
        "fast" => full(fast(number(1, 500)), number(1, 500)),
        "slow" => full(Box::new(iter::once(Step::Wait(millis(1, 1_000))).chain(tokens(number(2, 5)))), number(2, 5)),
        "echo" => full(echo(last), 1),
        "bytes" => Box::new(full(echo(last), 1).flat_map(byte_by_byte)),
        "mixed" => full(echo(MIXED), 1),
        "reasoning" => full(reasoning(word(1).unwrap_or("reasoning_content")), 9),
        "ponder" => full(ponder(millis(1, 100)), 9),
        "think" => full(think(), 9),
        "lone" => full(lone(), 9),
        "thoughts" => Box::new(tokens_in("reasoning_content", 9).chain(end("length", usage.then_some(9)))),
        "withheld" => Box::new(tokens(count).chain(end("content_filter", usage.then_some(count)))),
        "each" => Box::new(
            each(0..3).chain([Step::Wait(millis(1, 1_000))]).chain(each(3..5)).chain([send("data: [DONE]\n\n")]),
        ),
        "broken" => Box::new(each(0..3).chain([Step::Wait(Duration::from_millis(20)), Step::Cut])),
        "stalled" => Box::new(each(0..3).chain([Step::Hang])),
        "counts" => {
            let counts = r#"{"prompt_tokens":null,"completion_tokens":null,"total_tokens":null}"#;
            let counts = send(format!("data: {{\"choices\":[],\"usage\":{counts}}}\n\n"));
            Box::new(tokens(5).chain([reason("stop"), counts, send("data: [DONE]\n\n")]))
        }
        "whole" | "nostream" => return Reply::Plain(200, "application/json", whole(5)),
        "nosystem" => full(Box::new(tokens(5)), 5),
        "busy" => return Reply::Plain(200, "application/json", json!({"code": 429, "message": key}).to_string()),
        "long" => {
            let error = json!({"error": {"code": "context_length_exceeded", "message": last}});
            return Reply::Plain(400, "application/json", error.to_string());
        }
        "key" => {
            let error = json!({"code": 400, "status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]});
            return Reply::Plain(400, "application/json", json!([{"error": error}]).to_string());
        }
        "status" => {
            return Reply::Plain(u16::try_from(number(1, 500)).unwrap_or(500), "application/json", error());
        }
        "html" => return Reply::Plain(200, "text/html; charset=utf-8", "<!doctype html><h1>Welcome</h1>".to_owned()),
        "json" => return Reply::Plain(200, "application/json", error()),
        "redirect" => return Reply::Plain(307, "text/plain", String::new()),
        "hang" => return Reply::Silence,
        "stall" => Box::new(tokens(count).chain(iter::once(Step::Hang))),
        "cut" => Box::new(tokens(count).chain([Step::Wait(Duration::from_millis(20)), Step::Cut])),
        "eof" => Box::new(tokens(count)),
        "done" => Box::new(tokens(count).chain(iter::once(send("data: [DONE]\n\n")))),
        "last" => Box::new(tokens(count).chain(iter::once(reason("stop")))),
        "open" => Box::new(tokens(count).chain([reason("stop"), Step::Hang])),
        "length" => Box::new(tokens(count).chain(end("length", usage.then_some(count)))),
        "error" => {
            let object = format!("data: {{\"error\":{{\"code\":{},\"message\":\"{key}\"}}}}\n\n", number(1, 500));
            Box::new(tokens(number(2, 5)).chain([send(object), Step::Hang]))
        }
        "garbled" => Box::new(tokens(count).chain([send("data: this is no JSON\n\n"), Step::Hang])),
        "binary" => Box::new(tokens(count).chain([Step::Send(Bytes::from_static(b"data: \xFF\xFE\n\n")), Step::Hang])),
        "line" => Box::new(tokens(5).chain(endless(number(1, 10_000_000)))),
        "flood" => Box::new((0..).flat_map(|_| fast(1_000))),
        "empty" => Box::new(end("stop", usage.then_some(0))),
        "odd" => full(odd(), 2),
        "say" => full(words_of(words[1..].join(" ")), words.len() - 1),
        // The request for a title quotes the message in the middle.
        "titled" if last.starts_with("[[") => full(Box::new(tokens(5)), 5),
        "titled" => return reply(&words[1..], last, usage, key),
        "plain" if usage => {
            let body = json!({"error": {"message": "Unrecognized request argument supplied: stream_options"}});
            return Reply::Plain(400, "application/json", body.to_string());
        }
        "plain" => full(Box::new(tokens(count)), count),
        _ => full(words_of(format!("You said: {last}")), 5),
    };
    Reply::Stream(steps)
}

/// The text of `mixed`.
pub const MIXED: &str = "one\rtwo\r\nthree\nfour\r\r\n\r\nfive\n\r six \u{2028} seven";

fn paced(count: usize, pace: Duration) -> Steps {
    Box::new(tokens(count).flat_map(move |token| [token, Step::Wait(pace)]))
}

fn fast(count: usize) -> Steps {
    // The same 32 events repeated; only their number differs.
    let events: Vec<Bytes> = (0..32).map(|index| event("content", word(index))).collect();
    let block = Bytes::from(events.concat());
    let rest = events[..count % 32].concat();
    let blocks = iter::repeat_n(block, count / 32).map(Step::Token);
    Box::new(blocks.chain((!rest.is_empty()).then(|| Step::Token(rest.into()))))
}

fn echo(text: &str) -> Steps {
    let characters: Vec<char> = text.chars().collect();
    let pieces: Vec<String> = characters.chunks(3).map(|piece| piece.iter().collect()).collect();
    Box::new(pieces.into_iter().map(|piece| Step::Token(event("content", &piece))))
}

fn words_of(text: String) -> Steps {
    let words: Vec<Bytes> = text.split_inclusive(' ').map(|word| event("content", word)).collect();
    Box::new(words.into_iter().flat_map(|word| [Step::Token(word), Step::Wait(Duration::from_millis(10))]))
}

fn byte_by_byte(step: Step) -> Vec<Step> {
    match step {
        Step::Send(bytes) | Step::Token(bytes) => {
            (0..bytes.len()).flat_map(|at| [Step::Token(bytes.slice(at..=at)), Step::Wait(Duration::ZERO)]).collect()
        }
        other => vec![other],
    }
}

fn reasoning(field: &str) -> Steps {
    let thoughts: Vec<Bytes> = ["First I ", "think ", "about it."].iter().map(|piece| event(field, piece)).collect();
    Box::new(thoughts.into_iter().map(Step::Token).chain(tokens(5)))
}

fn ponder(pause: Duration) -> Steps {
    let pieces = ["First I ", "think ", "about it."].into_iter();
    let thoughts = pieces.flat_map(move |piece| [Step::Token(event("reasoning_content", piece)), Step::Wait(pause)]);
    Box::new(thoughts.chain(tokens(5)))
}

fn think() -> Steps {
    let pieces = ["\n<th", "ink>First I ", "think about </thin it.</thi", "nk>\n\n"];
    Box::new(pieces.into_iter().map(|piece| Step::Token(event("content", piece))).chain(tokens(5)))
}

fn lone() -> Steps {
    let pieces = ["First I ", "think about `</think>`, then ", "stop.\n</thi", "nk>\n\n"];
    Box::new(pieces.into_iter().map(|piece| Step::Token(event("content", piece))).chain(tokens(5)))
}

/// These tokens, each with a finish reason.
fn each(places: std::ops::Range<usize>) -> impl Iterator<Item = Step> + Send {
    places.map(|index| {
        let piece = json!(word(index));
        let chunk =
            format!("{{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":{piece}}},\"finish_reason\":\"stop\"}}]}}");
        Step::Token(Bytes::from(format!("data: {chunk}\n\n")))
    })
}

fn endless(length: usize) -> Steps {
    let block = Bytes::from(vec![b'a'; 64 * 1_024]);
    Box::new(
        iter::once(send("data: "))
            .chain(iter::repeat_n(block, length / (64 * 1_024)).map(Step::Send))
            .chain([Step::Hang]),
    )
}

fn odd() -> Steps {
    let calls = r#"{"index":0,"id":"c","type":"function","function":{"name":"no_such_tool","arguments":"{\"broken"}},"#;
    Box::new(
        [
            ": a comment\n\n".to_owned(),
            "event: execute\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"rm -rf\"}}]}\n\n".to_owned(),
            "event: execute\ndata: not even JSON\n\n".to_owned(),
            "id: 7\nretry: 1\nunknown: field\ndata: {\"choices\":null,\"x\":1}\n\n".to_owned(),
            "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"one \"}}]} {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"two\"}}]}\n\n".to_owned(),
            "data: {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"another answer\"}}]}\n\n".to_owned(),
            format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"tool_calls\":[{}]}}}}]}}\n\n", calls.repeat(1_000).trim_end_matches(',')),
        ]
        .into_iter()
        .map(send),
    )
}
