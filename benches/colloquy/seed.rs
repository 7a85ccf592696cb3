//! Inserts many rows directly into the database of a stopped server.

use std::path::Path;

use colloquy::{
    domain::{ChatId, MessageId, Role, SignInId, Timestamp, UserId, message_preview},
    server::{
        clock::Clock,
        store::{CredentialsVersion, NewChat, NewMessage, NewSignIn, NewUser, Node, Store},
    },
};

use uuid::Uuid;

use crate::Result;

const MODEL: &str = "scripted/echo";

/// A typical answer of a model: text, a list and code.
const ANSWER: &str = "A **binary search** halves the range in each step, so it needs about `log2(n)` steps.\n\n\
    1. Look at the middle.\n2. Go on in the half that can hold the value.\n3. Stop when it is found, or nothing is left.\n\n\
    ```rust\nfn find(sorted: &[u32], wanted: u32) -> Option<usize> {\n    sorted.binary_search(&wanted).ok()\n}\n```\n\n\
    It works on sorted data only; for data that changes often, a tree or a hash table is the better choice.";

/// Inserts `count` accounts beside the one with this address. Each account gets three sign-ins.
pub async fn people(data: &Path, email: &str, count: usize) -> Result<()> {
    let store = Store::open(data, None).await?;
    let first = owner(&store, email).await?;
    let clock = Clock::default();
    let now = clock.now();
    for from in (0..count).step_by(500) {
        let mut tx = store.write().await?;
        for index in from..count.min(from + 500) {
            let (id, made) = (UserId::from_uuid(clock.new_id()), now.plus_seconds(-60 * i64::try_from(index)?));
            let email = format!("somebody-{index}@example.org");
            let name = format!("Somebody {index}");
            tx.insert_user(&NewUser {
                id,
                email: &email,
                email_key: &email,
                name: &name,
                // No one signs in to these accounts.
                password_hash: "",
                role: Role::Member,
                language: "en-GB",
                created_at: made,
            })
            .await?;
            insert_sign_ins(&mut tx, id, &clock, made).await?;
        }
        tx.commit().await?;
    }
    let mut tx = store.write().await?;
    insert_sign_ins(&mut tx, first, &clock, now).await?;
    tx.commit().await?;
    store.close().await;
    Ok(())
}

async fn insert_sign_ins(
    tx: &mut colloquy::server::store::Tx,
    user: UserId,
    clock: &Clock,
    created_at: Timestamp,
) -> Result<()> {
    for address in ["198.51.100.7", "203.0.113.9", "2001:db8::1"] {
        let sign_in = NewSignIn {
            id: SignInId::from_uuid(clock.new_id()),
            credentials: CredentialsVersion::FIRST,
            created_at,
            idle_seconds: 7 * 86_400,
            ends_at: created_at.plus_seconds(30 * 86_400),
            user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            address,
        };
        tx.owned_by(user).insert_sign_in(&sign_in).await?;
    }
    Ok(())
}

/// Inserts `count` chats of two messages each for the user with this address.
pub async fn chats(data: &Path, email: &str, count: usize) -> Result<()> {
    let store = Store::open(data, None).await?;
    let owner = owner(&store, email).await?;
    let clock = Clock::default();
    let now = clock.now();
    for from in (0..count).step_by(500) {
        let mut tx = store.write().await?;
        for index in from..count.min(from + 500) {
            let made = now.plus_seconds(-60 * (i64::try_from(index)? + 1));
            let title = format!("Question {index} about search trees and hash tables");
            insert(&mut tx, owner, &clock, &title, 2, made).await?;
        }
        tx.commit().await?;
    }
    store.close().await;
    Ok(())
}

/// Inserts one chat with this many messages for the user with this address.
pub async fn long_chat(data: &Path, email: &str, messages: usize) -> Result<ChatId> {
    let store = Store::open(data, None).await?;
    let owner = owner(&store, email).await?;
    let clock = Clock::default();
    let mut tx = store.write().await?;
    let chat = insert(&mut tx, owner, &clock, "A long talk about algorithms", messages, clock.now()).await?;
    tx.commit().await?;
    store.close().await;
    Ok(chat)
}

/// Inserts one chat with this many messages for a user.
pub async fn chat(store: &Store, owner: UserId, clock: &Clock, messages: usize) -> Result<ChatId> {
    let mut tx = store.write().await?;
    let chat = insert(&mut tx, owner, clock, "A talk about algorithms", messages, clock.now()).await?;
    tx.commit().await?;
    Ok(chat)
}

/// Inserts `count` session records without an owner, as versions before the owner column stored them.
pub async fn sessions(store: &Store, clock: &Clock, count: usize) -> Result<()> {
    for from in (0..count).step_by(500) {
        let mut tx = store.write().await?;
        for _ in from..count.min(from + 500) {
            let (id, named) = (Uuid::new_v4(), Uuid::new_v4());
            let record = format!(r#"{{"id":"{id}","data":{{"sign_in":"{named}","serial":0}},"expiry_date":"later"}}"#);
            tx.insert_session(id, &record, None, clock.now().plus_seconds(120 * 86_400)).await?;
        }
        tx.commit().await?;
    }
    Ok(())
}

async fn owner(store: &Store, email: &str) -> Result<UserId> {
    let found = store.read().await?.find_user_by_email(email).await?;
    Ok(found.ok_or("there is no account to give chats to")?.id)
}

async fn insert(
    tx: &mut colloquy::server::store::Tx,
    owner: UserId,
    clock: &Clock,
    title: &str,
    messages: usize,
    made: Timestamp,
) -> Result<ChatId> {
    let id = ChatId::from_uuid(clock.new_id());
    let preview = message_preview(ANSWER);
    let mut rows = tx.owned_by(owner);
    rows.insert_chat(&NewChat { id, title, model: MODEL, preview: &preview, head: None, now: made }).await?;
    let mut head: Option<Node> = None;
    for index in 0..messages {
        let question = format!("Question {index}: how does a binary search work?");
        let is_answer = index % 2 == 1;
        let message = NewMessage {
            id: MessageId::from_uuid(clock.new_id()),
            chat: id,
            parent: head,
            author: if is_answer { "assistant" } else { "user" },
            state: "complete",
            text: if is_answer { ANSWER } else { &question },
            model: is_answer.then_some(MODEL),
            model_label: is_answer.then_some("echo"),
            client_id: (!is_answer).then(colloquy::domain::ClientId::random),
            now: made,
        };
        rows.insert_message(&message).await?;
        head = Some(Node { id: message.id, depth: i64::try_from(index)? });
    }
    if let Some(head) = head {
        rows.update_head(id, head.id, None).await?;
    }
    Ok(id)
}
