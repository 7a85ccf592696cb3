//! The contents of a data export. `docs/export.md` describes each file and field.

use std::{collections::HashSet, fs::File, path::PathBuf};

use serde_json::{Value, json};
use uuid::Uuid;

use super::{archive::Archive, job::ExportBuild};
use crate::{
    domain::{AppError, ChatId, MessageId, SignInId, UserId},
    server::{
        clock::rfc3339,
        fault::Fault,
        privacy::Exports,
        store::{ExportChat, MessageRow, Part},
    },
};

/// Rows per query.
const BATCH_SIZE: u32 = 200;
/// Maximum length of a title in a file name, in characters.
const MAX_FILE_NAME_CHARS: usize = 40;
const README: &str = "Your data from Colloquy.\n\n\
    account.json      your account\n\
    settings.json     your settings\n\
    sign-ins.jsonl    your devices, one sign-in per line\n\
    factors.json      your two-step verification, without secrets\n\
    identities.json   your connected accounts\n\
    audit.jsonl       your activity log, newest first, one event per line\n\
    mails.jsonl       emails to you, without their text, newest first, one per line\n\
    chats.jsonl       your chats without their messages, one per line\n\
    chats/*.jsonl     your chats, one message per line\n\
    chats/*.md        your chats as readable text, other versions of answers are marked\n\n\
    All times are UTC.\n";

impl Exports {
    /// Writes all data about a user into a file.
    pub(super) async fn build_archive(&self, build: &mut ExportBuild<'_>, path: PathBuf) -> Result<File, Fault> {
        let mut archive = Archive::create(path);
        archive.start_file("README.txt").await?;
        archive.append(README).await?;
        let user = build.export.user_id;
        self.add_account(&mut archive, user).await?;
        self.add_sign_ins(&mut archive, user).await?;
        self.add_audit(&mut archive, user).await?;
        self.add_mails(&mut archive, user).await?;
        self.add_chat_list(&mut archive, user).await?;
        self.add_chats(&mut archive, build).await?;
        archive.finish().await
    }

    async fn add_account(&self, archive: &mut Archive, user: UserId) -> Result<(), Fault> {
        let mut tx = self.store.read().await?;
        let mut owned = tx.owned_by(user);
        let account = owned.export_account().await?.ok_or(AppError::NotFound)?;
        let factors = owned.list_factors().await?;
        let codes = owned.count_recovery_codes().await?;
        let identities = owned.list_identities().await?;
        let retention = owned.find_retention().await?;
        drop(tx);
        let value = json!({
            "id": user, "email": account.email, "name": account.name, "role": account.role,
            "created_at": rfc3339(account.created_at), "email_verified_at": account.email_verified_at.map(rfc3339),
        });
        add_json_file(archive, "account.json", &value).await?;
        let preferences = self.profiles.preferences(user).await?;
        let value = json!({
            "language": preferences.language.tag(), "time_zone": preferences.time_zone,
            "retention_days": retention.and_then(|rule| rule.days),
            "second_factors": factors.len(), "recovery_codes_left": codes,
        });
        add_json_file(archive, "settings.json", &value).await?;
        if let Some((_, picture)) = self.profiles.find_picture(user).await? {
            archive.start_file("picture.jpg").await?;
            archive.append(picture).await?;
        }
        let factors = factors.iter().map(|factor| {
            json!({
                "id": factor.id, "kind": factor.kind(), "name": factor.name,
                "created_at": rfc3339(factor.created_at), "last_used_at": factor.last_used_at.map(rfc3339),
            })
        });
        add_json_file(archive, "factors.json", &factors.collect()).await?;
        let identities = identities.iter().map(|identity| {
            json!({
                "issuer": identity.issuer, "subject": identity.subject, "email": identity.email,
                "created_at": rfc3339(identity.created_at), "last_used_at": rfc3339(identity.last_used_at),
            })
        });
        add_json_file(archive, "identities.json", &identities.collect()).await
    }

    async fn add_sign_ins(&self, archive: &mut Archive, user: UserId) -> Result<(), Fault> {
        archive.start_file("sign-ins.jsonl").await?;
        let mut after = SignInId::from_uuid(Uuid::nil());
        loop {
            let rows = self.store.read().await?.owned_by(user).export_sign_ins(after, BATCH_SIZE).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.id;
            let lines = rows.iter().map(|row| {
                to_json_line(&json!({
                    "id": row.id, "created_at": rfc3339(row.created_at), "last_used_at": rfc3339(row.last_used_at),
                    "ends_at": rfc3339(row.ends_at), "ended_at": row.ended_at.map(rfc3339),
                    "user_agent": row.user_agent, "address": row.address,
                }))
            });
            archive.append(lines.collect::<String>()).await?;
        }
    }

    async fn add_audit(&self, archive: &mut Archive, user: UserId) -> Result<(), Fault> {
        archive.start_file("audit.jsonl").await?;
        let mut after = None;
        loop {
            let rows = self.store.read().await?.owned_by(user).list_audit_entries(after, BATCH_SIZE).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = Some((last.at, last.id));
            let lines = rows.iter().map(|row| {
                to_json_line(&json!({
                    "id": row.id, "at": rfc3339(row.at), "action": row.action, "outcome": row.outcome,
                    "detail": row.detail, "user_agent": row.user_agent, "address": row.address,
                }))
            });
            archive.append(lines.collect::<String>()).await?;
        }
    }

    async fn add_mails(&self, archive: &mut Archive, user: UserId) -> Result<(), Fault> {
        let rows = self.store.read().await?.owned_by(user).export_mails().await?;
        let lines = rows.iter().map(|row| {
            to_json_line(&json!({
                "id": row.id, "subject": row.subject, "created_at": rfc3339(row.created_at),
                "sent_at": row.sent_at.map(rfc3339),
            }))
        });
        archive.start_file("mails.jsonl").await?;
        archive.append(lines.collect::<String>()).await
    }

    async fn add_chat_list(&self, archive: &mut Archive, user: UserId) -> Result<(), Fault> {
        archive.start_file("chats.jsonl").await?;
        let mut after = ChatId::from_uuid(Uuid::nil());
        loop {
            let chats = self.store.read().await?.owned_by(user).export_chats(after, BATCH_SIZE).await?;
            let Some(last) = chats.last() else { return Ok(()) };
            after = last.id;
            let lines = chats.iter().map(|chat| {
                to_json_line(&json!({
                    "id": chat.id, "title": chat.title, "model": chat.model, "created_at": rfc3339(chat.created_at),
                    "active_at": rfc3339(chat.active_at), "pinned": chat.pinned, "archived": chat.archived,
                    "deleted_at": chat.deleted_at.map(rfc3339),
                }))
            });
            archive.append(lines.collect::<String>()).await?;
        }
    }

    async fn add_chats(&self, archive: &mut Archive, build: &mut ExportBuild<'_>) -> Result<(), Fault> {
        let (user, store) = (build.export.user_id, &self.store);
        build.total = store.read().await?.owned_by(user).export_chat_count().await?;
        let mut after = ChatId::from_uuid(Uuid::nil());
        loop {
            let chats = store.read().await?.owned_by(user).export_chats(after, BATCH_SIZE).await?;
            let Some(last) = chats.last() else { return Ok(()) };
            after = last.id;
            for chat in &chats {
                let name = format!("chats/{:03}-{}", build.done + 1, file_name(&chat.title));
                // Messages written from now on are skipped: whether they are in the visible branch is not known.
                let now = self.clock.now();
                let shown = store.read().await?.owned_by(user).list_current_path_ids(chat.id).await?;
                let shown: HashSet<MessageId> = shown.into_iter().collect();
                let is_in = |row: &MessageRow| row.created_at <= now || shown.contains(&row.id);
                let json_line = |row: &MessageRow| is_in(row).then(|| message_json(row, shown.contains(&row.id)));
                let markdown = |row: &MessageRow| is_in(row).then(|| message_markdown(row, shown.contains(&row.id)));
                archive.start_file(format!("{name}.jsonl")).await?;
                self.add_messages(archive, build, chat, json_line).await?;
                archive.start_file(format!("{name}.md")).await?;
                archive.append(format!("# {}\n\n", chat.title)).await?;
                self.add_messages(archive, build, chat, markdown).await?;
                build.done += 1;
                // A chat that was created since is in it too.
                build.total = build.total.max(build.done);
            }
        }
    }

    async fn add_messages(
        &self,
        archive: &mut Archive,
        build: &mut ExportBuild<'_>,
        chat: &ExportChat,
        shape: impl Fn(&MessageRow) -> Option<String> + Send,
    ) -> Result<(), Fault> {
        let mut after = None;
        loop {
            build.report_progress().await?;
            let mut tx = self.store.read().await?;
            let rows = tx.owned_by(build.export.user_id).list_tree(chat.id, after, BATCH_SIZE).await?;
            drop(tx);
            let Some(last) = rows.last() else { return Ok(()) };
            after = Some(last.node());
            archive.append(rows.iter().filter_map(&shape).collect::<String>()).await?;
        }
    }
}

async fn add_json_file(archive: &mut Archive, name: &str, value: &Value) -> Result<(), Fault> {
    archive.start_file(name).await?;
    archive.append(format!("{value:#}\n")).await
}

fn to_json_line(value: &Value) -> String {
    format!("{value}\n")
}

fn message_json(row: &MessageRow, is_shown: bool) -> String {
    let part = |part: &Part| json!({ "kind": part.kind.as_str(), "text": part.text });
    to_json_line(&json!({
        "id": row.id, "chat": row.chat_id, "parent": row.parent_id, "shown": is_shown, "author": row.author,
        "state": row.state, "parts": row.parts.iter().map(part).collect::<Vec<_>>(), "model": row.model_label,
        "failure": row.failure, "left_out": row.truncated_messages, "prompt_tokens": row.prompt_tokens,
        "answer_tokens": row.answer_tokens, "thinking_ms": row.thinking_ms, "writing_ms": row.writing_ms,
        "created_at": rfc3339(row.created_at),
    }))
}

fn message_markdown(row: &MessageRow, is_shown: bool) -> String {
    let who = match (&row.model_label, row.author.as_str()) {
        (_, "user") => "You",
        (Some(model), _) => model,
        (None, _) => "Assistant",
    };
    let mark = if is_shown { "" } else { " (another version)" };
    format!("## {who}{mark}\n\n{}\n\n{}\n\n", rfc3339(row.created_at), row.text())
}

/// A title as part of a file name: letters, digits and hyphens only, so it cannot contain a path.
fn file_name(title: &str) -> String {
    let words = title.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let name: String = words.collect::<Vec<_>>().join("-").chars().take(MAX_FILE_NAME_CHARS).collect();
    if name.is_empty() { "chat".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l04_file_names_contain_no_path() {
        assert_eq!(file_name("../../etc/passwd"), "etc-passwd");
        assert_eq!(file_name("Fish & chips?"), "Fish-chips");
        assert_eq!(file_name("\u{202e}///"), "chat");
        assert_eq!(file_name(&"x".repeat(400)).len(), MAX_FILE_NAME_CHARS);
    }
}
