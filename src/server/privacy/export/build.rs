//! What stands in the download. `docs/export.md` tells each file and field.

use std::{collections::HashSet, fs::File, path::PathBuf};

use serde_json::{Value, json};
use uuid::Uuid;

use super::{archive::Archive, work::Building};
use crate::{
    domain::{AppError, ChatId, MessageId, SignInId, UserId},
    server::{
        clock::rfc3339,
        fault::Fault,
        privacy::Exports,
        store::{ExportChat, MessageRow, Part},
    },
};

/// Rows that are read at once.
const ROWS: u32 = 200;
/// Characters of a title in the name of a file.
const NAME_CHARS: usize = 40;
const README: &str = "Your data from Colloquy.\n\n\
    account.json      your account\n\
    settings.json     what you have set\n\
    sign-ins.jsonl    where you were signed in, one sign-in a line\n\
    factors.json      your second factors, without their secrets\n\
    identities.json   who you are at other providers\n\
    audit.jsonl       what was done with your account, newest first, one act a line\n\
    mails.jsonl       mails to your address, without their text, newest first, one a line\n\
    chats.jsonl       your chats without what was said, one a line\n\
    chats/*.jsonl     your chats, one message a line\n\
    chats/*.md        the same to read; other versions of answers are marked\n\n\
    All times are UTC.\n";

impl Exports {
    /// Writes all that is known of a person into a file.
    pub(super) async fn build(&self, building: &mut Building<'_>, path: PathBuf) -> Result<File, Fault> {
        let mut archive = Archive::begin(path);
        archive.file("README.txt").await?;
        archive.more(README).await?;
        let user = building.export.user_id;
        self.add_account(&mut archive, user).await?;
        self.add_sign_ins(&mut archive, user).await?;
        self.add_audit(&mut archive, user).await?;
        self.add_mails(&mut archive, user).await?;
        self.add_list_of_chats(&mut archive, user).await?;
        self.add_chats(&mut archive, building).await?;
        archive.finish().await
    }

    async fn add_account(&self, archive: &mut Archive, user: UserId) -> Result<(), Fault> {
        let mut tx = self.store.read().await?;
        let mut owned = tx.owned_by(user);
        let account = owned.export_account().await?.ok_or(AppError::NotFound)?;
        let factors = owned.list_factors().await?;
        let codes = owned.count_recovery_codes().await?;
        let identities = tx.owned_by(user).list_identities().await?;
        let retention = tx.find_retention(user).await?;
        drop(tx);
        let value = json!({
            "id": user, "email": account.email, "name": account.name, "role": account.role,
            "created_at": rfc3339(account.created_at), "email_verified_at": account.email_verified_at.map(rfc3339),
        });
        whole(archive, "account.json", &value).await?;
        let chosen = self.profiles.chosen(user).await?;
        let value = json!({
            "language": chosen.language.tag(), "time_zone": chosen.time_zone,
            "retention_days": retention.and_then(|rule| rule.days),
            "second_factors": factors.len(), "recovery_codes_left": codes,
        });
        whole(archive, "settings.json", &value).await?;
        if let Some((_, picture)) = self.profiles.find_picture(user).await? {
            archive.file("picture.jpg").await?;
            archive.more(picture).await?;
        }
        let factors = factors.iter().map(|factor| {
            json!({
                "id": factor.id, "kind": factor.kind(), "name": factor.name,
                "created_at": rfc3339(factor.created_at), "last_used_at": factor.last_used_at.map(rfc3339),
            })
        });
        whole(archive, "factors.json", &factors.collect()).await?;
        let identities = identities.iter().map(|identity| {
            json!({
                "issuer": identity.issuer, "subject": identity.subject, "email": identity.email,
                "created_at": rfc3339(identity.created_at), "last_used_at": rfc3339(identity.last_used_at),
            })
        });
        whole(archive, "identities.json", &identities.collect()).await
    }

    async fn add_sign_ins(&self, archive: &mut Archive, user: UserId) -> Result<(), Fault> {
        archive.file("sign-ins.jsonl").await?;
        let mut after = SignInId::from_uuid(Uuid::nil());
        loop {
            let rows = self.store.read().await?.owned_by(user).export_sign_ins(after, ROWS).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.id;
            let lines = rows.iter().map(|row| {
                line(&json!({
                    "id": row.id, "created_at": rfc3339(row.created_at), "last_used_at": rfc3339(row.last_used_at),
                    "ends_at": rfc3339(row.ends_at), "ended_at": row.ended_at.map(rfc3339),
                    "user_agent": row.user_agent, "address": row.address,
                }))
            });
            archive.more(lines.collect::<String>()).await?;
        }
    }

    async fn add_audit(&self, archive: &mut Archive, user: UserId) -> Result<(), Fault> {
        archive.file("audit.jsonl").await?;
        let mut after = None;
        loop {
            let rows = self.store.read().await?.list_audit_entries(user, after, ROWS).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = Some((last.at, last.id));
            let lines = rows.iter().map(|row| {
                line(&json!({
                    "id": row.id, "at": rfc3339(row.at), "action": row.action, "outcome": row.outcome,
                    "detail": row.detail, "user_agent": row.user_agent, "address": row.address,
                }))
            });
            archive.more(lines.collect::<String>()).await?;
        }
    }

    async fn add_mails(&self, archive: &mut Archive, user: UserId) -> Result<(), Fault> {
        let rows = self.store.read().await?.owned_by(user).export_mails().await?;
        let lines = rows.iter().map(|row| {
            line(&json!({
                "id": row.id, "subject": row.subject, "created_at": rfc3339(row.created_at),
                "sent_at": row.sent_at.map(rfc3339),
            }))
        });
        archive.file("mails.jsonl").await?;
        archive.more(lines.collect::<String>()).await
    }

    async fn add_list_of_chats(&self, archive: &mut Archive, user: UserId) -> Result<(), Fault> {
        archive.file("chats.jsonl").await?;
        let mut after = ChatId::from_uuid(Uuid::nil());
        loop {
            let chats = self.store.read().await?.owned_by(user).export_chats(after, ROWS).await?;
            let Some(last) = chats.last() else { return Ok(()) };
            after = last.id;
            let lines = chats.iter().map(|chat| {
                line(&json!({
                    "id": chat.id, "title": chat.title, "model": chat.model, "created_at": rfc3339(chat.created_at),
                    "active_at": rfc3339(chat.active_at), "pinned": chat.pinned, "archived": chat.archived,
                    "deleted_at": chat.deleted_at.map(rfc3339),
                }))
            });
            archive.more(lines.collect::<String>()).await?;
        }
    }

    async fn add_chats(&self, archive: &mut Archive, building: &mut Building<'_>) -> Result<(), Fault> {
        let (user, store) = (building.export.user_id, &self.store);
        building.total = store.read().await?.owned_by(user).export_chat_count().await?;
        let mut after = ChatId::from_uuid(Uuid::nil());
        loop {
            let chats = store.read().await?.owned_by(user).export_chats(after, ROWS).await?;
            let Some(last) = chats.last() else { return Ok(()) };
            after = last.id;
            for chat in &chats {
                let name = format!("chats/{:03}-{}", building.done + 1, file_name(&chat.title));
                // Of what is said from now on nobody would know whether it is shown, so it is left out.
                let now = self.clock.now();
                let shown = store.read().await?.owned_by(user).list_shown_ids(chat.id).await?;
                let shown: HashSet<MessageId> = shown.into_iter().collect();
                let is_in = |row: &MessageRow| row.created_at <= now || shown.contains(&row.id);
                let json_line = |row: &MessageRow| is_in(row).then(|| json_line(row, shown.contains(&row.id)));
                let markdown = |row: &MessageRow| is_in(row).then(|| markdown(row, shown.contains(&row.id)));
                archive.file(format!("{name}.jsonl")).await?;
                self.add_messages(archive, building, chat, json_line).await?;
                archive.file(format!("{name}.md")).await?;
                archive.more(format!("# {}\n\n", chat.title)).await?;
                self.add_messages(archive, building, chat, markdown).await?;
                building.done += 1;
                // One that was begun since is in it too.
                building.total = building.total.max(building.done);
            }
        }
    }

    async fn add_messages(
        &self,
        archive: &mut Archive,
        building: &mut Building<'_>,
        chat: &ExportChat,
        shape: impl Fn(&MessageRow) -> Option<String> + Send,
    ) -> Result<(), Fault> {
        let mut after = None;
        loop {
            building.note().await?;
            let mut tx = self.store.read().await?;
            let rows = tx.owned_by(building.export.user_id).list_tree(chat.id, after, ROWS).await?;
            drop(tx);
            let Some(last) = rows.last() else { return Ok(()) };
            after = Some(last.node());
            archive.more(rows.iter().filter_map(&shape).collect::<String>()).await?;
        }
    }
}

async fn whole(archive: &mut Archive, name: &str, value: &Value) -> Result<(), Fault> {
    archive.file(name).await?;
    archive.more(format!("{value:#}\n")).await
}

fn line(value: &Value) -> String {
    format!("{value}\n")
}

fn json_line(row: &MessageRow, is_shown: bool) -> String {
    let part = |part: &Part| json!({ "kind": part.kind.as_str(), "text": part.text });
    line(&json!({
        "id": row.id, "chat": row.chat_id, "parent": row.parent_id, "shown": is_shown, "author": row.author,
        "state": row.state, "parts": row.parts.iter().map(part).collect::<Vec<_>>(), "model": row.model_label,
        "failure": row.failure, "left_out": row.left_out, "prompt_tokens": row.prompt_tokens,
        "answer_tokens": row.answer_tokens, "created_at": rfc3339(row.created_at),
    }))
}

fn markdown(row: &MessageRow, is_shown: bool) -> String {
    let who = match (&row.model_label, row.author.as_str()) {
        (_, "user") => "You",
        (Some(model), _) => model,
        (None, _) => "Assistant",
    };
    let mark = if is_shown { "" } else { " (another version)" };
    format!("## {who}{mark}\n\n{}\n\n{}\n\n", rfc3339(row.created_at), row.text())
}

/// A title as a part of the name of a file: letters and digits, and nothing that leads elsewhere.
fn file_name(title: &str) -> String {
    let words = title.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let name: String = words.collect::<Vec<_>>().join("-").chars().take(NAME_CHARS).collect();
    if name.is_empty() { "chat".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l04_a_title_leads_nowhere() {
        assert_eq!(file_name("../../etc/passwd"), "etc-passwd");
        assert_eq!(file_name("Fish & chips?"), "Fish-chips");
        assert_eq!(file_name("\u{202e}///"), "chat");
        assert_eq!(file_name(&"x".repeat(400)).len(), NAME_CHARS);
    }
}
