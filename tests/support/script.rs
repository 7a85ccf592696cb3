//! What the scripted upstream can do. A behaviour is chosen by the model's name (`paced-200-20`), or by the last
//! message of a person where it holds one in double brackets (`[[paced 200 20]]`), whatever the model is.
//!
//! | behaviour | what happens (defaults in brackets) |
//! |---|---|
//! | `paced N MS` | N tokens [50], one every MS milliseconds [20], the first at once |
//! | `fast N` | N tokens [500] without a pause, 32 in one write |
//! | `slow MS N` | nothing for MS milliseconds [1000], then N tokens [5] |
//! | `echo` | the last message of the person, in pieces of three characters |
//! | `bytes` | the same, every byte of the stream in a write of its own |
//! | `mixed` | a text with CR, LF and CRLF line breaks |
//! | `reasoning FIELD` | thinking in FIELD [reasoning_content], then 5 tokens |
//! | `think` | thinking between tags in the content, cut inside the tags, then 5 tokens |
//! | `lone` | thinking in the content without an opening tag, its closing tag cut in two, then 5 tokens |
//! | `thoughts` | thinking alone, ended by the limit |
//! | `withheld N` | N tokens [5], ended by the provider's filter |
//! | `each MS` | 5 tokens, each with the reason `stop`, and MS milliseconds [1000] of nothing in their middle |
//! | `broken` | 3 tokens, each with the reason `stop`, then the connection breaks |
//! | `stalled` | 3 tokens, each with the reason `stop`, then nothing |
//! | `counts` | 5 tokens, then counts that are null |
//! | `whole` | HTTP 200 with the whole answer of 5 tokens as one JSON object |
//! | `busy` | HTTP 200 with a bare JSON error of code 429 |
//! | `long` | HTTP 400: longer than the context |
//! | `key` | HTTP 400: a wrong key, in a list |
//! | `nosystem` | refuses messages with the role `system` with 400, else 5 tokens |
//! | `nostream` | refuses streams with 400, else the whole answer as one JSON object |
//! | `status N` | HTTP status N [500] with an error object that repeats the key |
//! | `html` | HTTP 200 with a page |
//! | `json` | HTTP 200 with an error object in place of a stream |
//! | `redirect` | HTTP 307 to `/elsewhere`, which counts as a request |
//! | `hang` | no answer at all |
//! | `stall N` | N tokens [5], then nothing |
//! | `cut N` | N tokens [5], then the connection breaks |
//! | `eof N` | N tokens [5], then a clean end without a reason and without `[DONE]` |
//! | `done N` | N tokens [5], then `[DONE]` without a reason |
//! | `last N` | N tokens [5], a reason, and a clean end without `[DONE]` |
//! | `open N` | N tokens [5], a reason, and then nothing, with the connection open |
//! | `length N` | N tokens [5], ended by the limit |
//! | `error CODE N` | N tokens [5], then an error object with CODE [500] |
//! | `garbled N` | N tokens [5], then an event that is not JSON |
//! | `binary N` | N tokens [5], then an event that is not UTF-8 |
//! | `line N` | 5 tokens, then a line of N bytes [10000000] |
//! | `flood` | tokens without end |
//! | `empty` | no token, and a proper end |
//! | `odd` | two objects in one event, broken and unknown tool calls, `event: execute`, comments, unknown fields |
//! | `plain N` | refuses `stream_options` with 400, then N tokens [5] |
//!
//! Any other model says `You said: ` and the message, one word every 10 milliseconds.

use std::{iter, time::Duration};

use axum::body::Bytes;
use serde_json::json;

/// One thing to do on the connection.
pub enum Step {
    /// Write.
    Send(Bytes),
    /// Write, and note the time if it is the first token.
    Token(Bytes),
    /// Let the network have it, and wait.
    Wait(Duration),
    /// Do nothing any more.
    Hang,
    /// Break the connection.
    Cut,
}

/// What follows the head of the response.
pub type Steps = Box<dyn Iterator<Item = Step> + Send>;

/// How a request is answered.
pub enum Reply {
    /// With a stream of events.
    Stream(Steps),
    /// With a status, a content type and a body.
    Plain(u16, &'static str, String),
    /// With nothing, ever.
    Silence,
}

/// The text of `count` tokens, as all behaviours that count tokens write it.
pub fn text(count: usize) -> String {
    (0..count).map(word).collect()
}

/// A small Markdown text without end, word by word.
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

/// One event with a piece of an answer in `field`.
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

/// The same text as one object.
fn whole(count: usize) -> String {
    let message = json!({"role": "assistant", "content": text(count)});
    let usage = json!({"prompt_tokens": 7, "completion_tokens": count});
    let choices = json!([{"index": 0, "message": message, "finish_reason": "stop"}]);
    json!({"id": "chatcmpl-0", "object": "chat.completion", "choices": choices, "usage": usage}).to_string()
}

/// What a request is refused with before anything else.
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

/// The end of a stream: a reason, the counts where they were asked for, and `[DONE]`.
fn end(reason_name: &str, usage: Option<usize>) -> impl Iterator<Item = Step> + Send + use<> {
    let counts = usage.map(|count| {
        send(format!("data: {{\"choices\":[],\"usage\":{{\"prompt_tokens\":7,\"completion_tokens\":{count}}}}}\n\n"))
    });
    iter::once(reason(reason_name)).chain(counts).chain(iter::once(send("data: [DONE]\n\n")))
}

/// The behaviour that a request chooses, as its words.
pub fn chosen(model: &str, last: &str) -> Vec<String> {
    let in_message = last.split_once("[[").and_then(|(_, rest)| rest.split_once("]]"));
    match in_message {
        Some((words, _)) => words.split_whitespace().map(str::to_owned).collect(),
        None => model.split('-').map(str::to_owned).collect(),
    }
}

/// Plays a behaviour. `usage` says whether counts were asked for, `key` is what the request carried.
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
        "plain" if usage => {
            let body = json!({"error": {"message": "Unrecognized request argument supplied: stream_options"}});
            return Reply::Plain(400, "application/json", body.to_string());
        }
        "plain" => full(Box::new(tokens(count)), count),
        _ => full(words_of(format!("You said: {last}")), 5),
    };
    Reply::Stream(steps)
}

/// What `mixed` says.
pub const MIXED: &str = "one\rtwo\r\nthree\nfour\r\r\n\r\nfive\n\r six \u{2028} seven";

fn paced(count: usize, pace: Duration) -> Steps {
    Box::new(tokens(count).flat_map(move |token| [token, Step::Wait(pace)]))
}

fn fast(count: usize) -> Steps {
    // The same events over and over: only their count is new.
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

fn think() -> Steps {
    let pieces = ["\n<th", "ink>First I ", "think about </thin it.</thi", "nk>\n\n"];
    Box::new(pieces.into_iter().map(|piece| Step::Token(event("content", piece))).chain(tokens(5)))
}

fn lone() -> Steps {
    let pieces = ["First I ", "think about `</think>`, then ", "stop.\n</thi", "nk>\n\n"];
    Box::new(pieces.into_iter().map(|piece| Step::Token(event("content", piece))).chain(tokens(5)))
}

/// These tokens, each with a reason to end.
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
