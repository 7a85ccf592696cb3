//! Model files: which files of a folder are offered, by their headers.

use std::{fs, path::Path};

use colloquy::{
    domain::Failure,
    server::{
        config::Config,
        egress::Egress,
        llm::{FileKind, Models},
    },
};
use tokio_util::sync::CancellationToken;

use super::{collect, prompt};

/// A metadata value in a GGUF header.
pub enum Meta {
    Text(&'static str),
    Number(u32),
    Flag(bool),
    Texts(u64),
}

/// A GGUF file with these entries and one tensor of 64 numbers.
pub fn gguf(entries: &[(&str, Meta)]) -> Vec<u8> {
    let mut file = b"GGUF".to_vec();
    let text = |file: &mut Vec<u8>, text: &str| {
        file.extend((text.len() as u64).to_le_bytes());
        file.extend(text.as_bytes());
    };
    file.extend(3_u32.to_le_bytes());
    file.extend(1_u64.to_le_bytes());
    file.extend((entries.len() as u64).to_le_bytes());
    for (key, value) in entries {
        text(&mut file, key);
        match value {
            Meta::Text(value) => {
                file.extend(8_u32.to_le_bytes());
                text(&mut file, value);
            }
            Meta::Number(value) => {
                file.extend(4_u32.to_le_bytes());
                file.extend(value.to_le_bytes());
            }
            Meta::Flag(value) => file.extend([7, 0, 0, 0, u8::from(*value)]),
            Meta::Texts(count) => {
                file.extend(9_u32.to_le_bytes());
                file.extend(8_u32.to_le_bytes());
                file.extend(count.to_le_bytes());
                (0..*count).for_each(|_| text(&mut file, "token"));
            }
        }
    }
    text(&mut file, "weights");
    file.extend(1_u32.to_le_bytes());
    file.extend(64_u64.to_le_bytes());
    file.extend(0_u32.to_le_bytes());
    file.extend(0_u64.to_le_bytes());
    file.resize(file.len().next_multiple_of(32) + 64 * 4, 0);
    file
}

/// A file with the header of a chat model.
pub fn chat_file() -> Vec<u8> {
    gguf(&[("general.architecture", Meta::Text("llama")), ("tokenizer.ggml.tokens", Meta::Texts(20))])
}

fn part(number: u32, count: u32) -> Vec<u8> {
    gguf(&[
        ("general.architecture", Meta::Text("llama")),
        ("tokenizer.ggml.tokens", Meta::Texts(if number == 0 { 20 } else { 0 })),
        ("split.no", Meta::Number(number)),
        ("split.count", Meta::Number(count)),
    ])
}

fn models(folder: &Path) -> Models {
    let mut config = Config::default();
    config.local.models = folder.to_owned();
    config.local.program = Some(env!("CARGO_BIN_EXE_colloquy").into());
    Models::new(&config, &Egress::default())
}

async fn offered(folder: &Path) -> Vec<String> {
    models(folder).list().await.models.into_iter().map(|model| model.label).collect()
}

#[tokio::test]
async fn a_model_reads_what_it_was_trained_for_and_no_more_than_the_server_allows() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, length) in [("none", None), ("short", Some(2_048)), ("long", Some(131_072))] {
        let mut entries =
            vec![("general.architecture", Meta::Text("llama")), ("tokenizer.ggml.tokens", Meta::Texts(3))];
        entries.extend(length.map(|length| ("llama.context_length", Meta::Number(length))));
        fs::write(folder.path().join(format!("{name}.gguf")), gguf(&entries)).expect("written");
    }
    let contexts = async |limit: Option<u32>| {
        let mut config = Config::default();
        config.local.models = folder.path().to_owned();
        config.local.context = limit;
        let choice = Models::new(&config, &Egress::default()).list().await;
        choice.models.into_iter().map(|model| (model.label, model.context)).collect::<Vec<_>>()
    };
    let listed = |long: &str, short: &str| {
        [("long", long), ("none", ""), ("short", short)].map(|(name, context)| (name.to_owned(), context.to_owned()))
    };
    assert_eq!(contexts(None).await, listed("8K", "2K"));
    assert_eq!(contexts(Some(32_768)).await, listed("32K", "2K"));
    assert_eq!(contexts(Some(1_024)).await, listed("1K", "1K"));
}

#[tokio::test]
async fn only_chat_models_are_listed() {
    let folder = tempfile::tempdir().expect("a folder");
    let with = |architecture: &'static str, more: Option<(&'static str, Meta)>| {
        let mut entries =
            vec![("general.architecture", Meta::Text(architecture)), ("tokenizer.ggml.tokens", Meta::Texts(3))];
        entries.extend(more);
        gguf(&entries)
    };
    for (name, file) in [
        ("chat", with("llama", None)),
        ("chat-too", with("qwen3", Some(("qwen3.pooling_type", Meta::Number(0))))),
        ("causal", with("gemma3", Some(("gemma3.attention.causal", Meta::Flag(true))))),
        ("mmproj", gguf(&[("general.architecture", Meta::Text("clip")), ("general.type", Meta::Text("mmproj"))])),
        ("clip", gguf(&[("general.architecture", Meta::Text("clip"))])),
        ("bert", with("bert", None)),
        ("nomic", with("nomic-bert-moe", None)),
        ("embedding", with("gemma-embedding", None)),
        ("qwen-embedding", with("qwen3", Some(("qwen3.pooling_type", Meta::Number(3))))),
        ("encoder", with("llama", Some(("llama.attention.causal", Meta::Flag(false))))),
        ("lora", with("llama", Some(("general.type", Meta::Text("adapter"))))),
        ("picture", gguf(&[("general.architecture", Meta::Text("lumina2"))])),
    ] {
        fs::write(folder.path().join(format!("{name}.gguf")), file).expect("written");
    }
    assert_eq!(offered(folder.path()).await, ["causal", "chat", "chat-too"]);
    assert!(models(folder.path()).find("local/bert").await.is_none());
}

#[tokio::test]
async fn broken_files_are_not_listed_and_are_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = chat_file();
    let mut newer = whole.clone();
    newer[4] = 9;
    let mut endless = whole.clone();
    endless[16..24].fill(0xFF);
    for (name, file) in [
        ("empty", &[][..]),
        ("half", &whole[..whole.len() - 1]),
        ("no-data", &whole[..whole.len() - 256]),
        ("head", &whole[..100]),
        ("magic", &whole[..4]),
        ("text", b"this is no model"),
        ("page", b"<!doctype html>"),
        ("newer", &newer),
        ("endless", &endless),
        ("whole", &whole),
    ] {
        fs::write(folder.path().join(format!("{name}.gguf")), file).expect("written");
    }
    assert_eq!(offered(folder.path()).await, ["whole"]);
    let models = models(folder.path());
    let files = models.local_files().await;
    assert_eq!(files.iter().filter(|file| matches!(file.kind, FileKind::Broken(_))).count(), 9, "{files:?}");
    for name in ["empty", "half"] {
        let (model, _) = models.find(&format!("local/{name}")).await.expect("a chat may still name it");
        let answer = collect(model.answer(prompt("x"), CancellationToken::new())).await;
        assert_eq!(answer.end, Some(Err(Failure::BadFile)), "{name}: {}", answer.detail);
    }
    // A replaced file is read again.
    fs::write(folder.path().join("half.gguf"), &whole).expect("written");
    assert!(models.list().await.models.iter().any(|model| model.label == "half"));
}

#[tokio::test]
async fn a_split_model_needs_all_its_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, file: &[u8]| fs::write(folder.path().join(name), file).expect("written");
    write("big-00001-of-00002.gguf", &part(0, 2));
    assert!(offered(folder.path()).await.is_empty(), "the second is missing");
    write("big-00002-of-00002.gguf", &part(1, 2)[..90]);
    assert!(offered(folder.path()).await.is_empty(), "the second is cut");
    write("big-00002-of-00002.gguf", &part(0, 2));
    assert!(offered(folder.path()).await.is_empty(), "the second is the first");
    write("big-00002-of-00002.gguf", &part(1, 2));
    assert_eq!(offered(folder.path()).await, ["big-00001-of-00002"]);
    write("renamed.gguf", &part(0, 2));
    assert_eq!(offered(folder.path()).await, ["big-00001-of-00002"]);
}
