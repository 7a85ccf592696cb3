//! Property test of the statements for runs, as a state machine: two workers and one user action in random order,
//! transactions get lost, and after each step the database must match a simple model.

use std::collections::{HashMap, HashSet};

use proptest::{prelude::*, sample::Index};
use uuid::Uuid;

use super::*;
use crate::domain::{ChatId, MessageId, Role, RunId, Timestamp, UserId};

const CHATS: usize = 2;
const LEASE_SECONDS: i64 = 20;
const MAX_RUNS_PER_USER: u32 = 8;

/// An action of the user or a worker. An impossible action must change nothing.
#[derive(Debug, Clone)]
enum Action {
    /// The user sends a message in a chat.
    Send(usize),
    /// The user continues the last answer of a chat.
    Continue(usize),
    /// The user retries the last answer of a chat.
    Retry(usize),
    /// The user stops the answer of a chat.
    Stop(usize),
    /// The user deletes a chat, or restores it.
    Delete(usize, bool),
    /// A worker claims a known run.
    Claim(usize, Index),
    /// A worker writes some text.
    Write(usize, Index, String),
    /// A worker ends one of the runs that it believes to hold.
    Finish(usize, Index, &'static str),
    /// A worker ends a run without having written anything.
    Abandon(usize, Index),
    /// A worker renews the leases of the runs that it believes to hold.
    Renew(usize),
    /// A worker interrupts runs whose lease has expired.
    Sweep(usize),
    /// A worker is killed and restarted, and is known to have been dead.
    Kill(usize),
    /// Time passes.
    Wait(i64),
}

fn action() -> impl Strategy<Value = Action> {
    let (chat, worker) = (0..CHATS, 0..2_usize);
    let run = any::<Index>;
    prop_oneof![
        3 => chat.clone().prop_map(Action::Send),
        3 => chat.clone().prop_map(Action::Continue),
        2 => chat.clone().prop_map(Action::Retry),
        1 => chat.clone().prop_map(Action::Stop),
        1 => (chat, any::<bool>()).prop_map(|(chat, deleted)| Action::Delete(chat, deleted)),
        6 => (worker.clone(), run()).prop_map(|(worker, run)| Action::Claim(worker, run)),
        6 => (worker.clone(), run(), "[a-z]{1,4}").prop_map(|(worker, run, words)| Action::Write(worker, run, words)),
        4 => (worker.clone(), run(), prop_oneof![Just("complete"), Just("interrupted"), Just("failed")])
            .prop_map(|(worker, run, state)| Action::Finish(worker, run, state)),
        2 => (worker.clone(), run()).prop_map(|(worker, run)| Action::Abandon(worker, run)),
        1 => worker.clone().prop_map(Action::Renew),
        2 => worker.clone().prop_map(Action::Sweep),
        1 => worker.prop_map(Action::Kill),
        2 => (1..40_i64).prop_map(Action::Wait),
    ]
}

/// A run that a worker believes to hold, with the text in its memory.
#[derive(Debug, Clone)]
struct HeldRun {
    claimed: ClaimedRun,
    text: String,
}

/// A run in the model.
#[derive(Debug, Clone)]
struct Run {
    message: MessageId,
    chat: usize,
    epoch: i64,
    worker: Option<usize>,
    lease_until: i64,
    open: bool,
}

/// The expected state of the database.
#[derive(Debug, Default)]
struct Model {
    runs: HashMap<RunId, Run>,
    /// The acknowledged text of each answer.
    texts: HashMap<MessageId, String>,
    states: HashMap<MessageId, String>,
    /// The last answer of each chat.
    last: [Option<MessageId>; CHATS],
    deleted: [bool; CHATS],
}

struct World {
    store: Store,
    owner: UserId,
    chats: Vec<ChatId>,
    workers: [Uuid; 2],
    held: [HashMap<RunId, HeldRun>; 2],
    model: Model,
    now: i64,
}

impl World {
    async fn new(store: Store) -> Self {
        let owner = UserId::from_uuid(Uuid::new_v4());
        let mut tx = store.write().await.expect("a transaction");
        // Removes the rows of the previous test case together with their owner.
        db::execute!(tx, "delete from users").expect("an empty database");
        let email = format!("{}@example.org", Uuid::new_v4().simple());
        let new = NewUser {
            id: owner,
            email: &email,
            email_key: &email,
            name: "Ada",
            password_hash: "",
            role: Role::Member,
            language: "en-GB",
            created_at: at(0),
        };
        tx.insert_user(&new).await.expect("an account");
        let mut chats = Vec::new();
        for _ in 0..CHATS {
            let id = ChatId::from_uuid(Uuid::new_v4());
            let chat = NewChat { id, title: "chat", model: "m", preview: "", head: None, now: at(0) };
            tx.owned_by(owner).insert_chat(&chat).await.expect("a chat");
            chats.push(id);
        }
        tx.commit().await.expect("a commit");
        let workers = [Uuid::new_v4(), Uuid::new_v4()];
        Self { store, owner, chats, workers, held: Default::default(), model: Model::default(), now: 1 }
    }

    /// Executes an action. If `lost`, its transaction is dropped instead of committed.
    async fn execute(&mut self, action: &Action, lost: bool) -> Result<(), StoreError> {
        match action {
            Action::Wait(seconds) => self.now += seconds,
            Action::Send(chat) => self.send(*chat, None, lost).await?,
            Action::Retry(chat) => {
                if let Some(old) = self.model.last[*chat].filter(|old| self.model.states[old] != "open") {
                    self.send(*chat, Some(old), lost).await?;
                }
            }
            Action::Continue(chat) => self.continue_answer(*chat, lost).await?,
            Action::Stop(chat) => {
                let mut tx = self.store.write().await?;
                tx.owned_by(self.owner).request_stop(self.chats[*chat], None, at(self.now)).await?;
                if commit_unless_lost(tx, lost).await? {
                    self.mark_stopped(*chat);
                }
            }
            Action::Delete(chat, deleted) => {
                let mut tx = self.store.write().await?;
                let deleted_at = deleted.then(|| at(self.now));
                tx.owned_by(self.owner).update_deleted(self.chats[*chat], deleted_at).await?;
                if commit_unless_lost(tx, lost).await? {
                    self.model.deleted[*chat] = *deleted;
                }
            }
            Action::Claim(worker, run) => self.claim(*worker, run, lost).await?,
            Action::Write(worker, run, words) => self.write(*worker, run, words, lost).await?,
            Action::Finish(worker, run, state) => self.finish(*worker, run, state, true, lost).await?,
            Action::Abandon(worker, run) => self.finish(*worker, run, "interrupted", false, lost).await?,
            Action::Renew(worker) => self.renew(*worker, lost).await?,
            Action::Sweep(worker) => self.sweep(*worker, lost).await?,
            Action::Kill(worker) => self.kill(*worker, lost).await?,
        }
        Ok(())
    }

    fn has_open_run(&self, chat: usize) -> bool {
        self.model.runs.values().any(|run| run.chat == chat && run.open)
    }

    /// Inserts an answer and its run, as an alternative to the answer `old` if there is one.
    async fn send(&mut self, chat: usize, old: Option<MessageId>, lost: bool) -> Result<(), StoreError> {
        let (message, run) = (MessageId::from_uuid(Uuid::new_v4()), RunId::from_uuid(Uuid::new_v4()));
        let (id, now) = (self.chats[chat], at(self.now));
        let mut tx = self.store.write().await?;
        let mut own = tx.owned_by(self.owner);
        let Some(head) = own.lock_chat_for_writing(id, "m", now).await? else {
            assert!(self.model.deleted[chat]);
            return Ok(());
        };
        let parent = match old {
            Some(old) => own.find_message(id, old).await?.and_then(|old| old.parent()),
            None => head,
        };
        let new = NewMessage {
            id: message,
            chat: id,
            parent,
            author: "assistant",
            state: "open",
            text: "",
            model: None,
            model_label: None,
            client_id: None,
            now,
        };
        own.insert_message(&new).await?;
        own.update_head(id, message, None).await?;
        let new = NewRun { id: run, chat: id, message, model: "m", continues: false, max_open: i64::MAX, now };
        match own.insert_run(&new).await {
            Err(StoreError::Duplicate) => {
                assert!(self.has_open_run(chat), "refused without an open run");
                return Ok(());
            }
            other => assert!(other?),
        }
        assert!(!self.has_open_run(chat), "a second open run");
        if commit_unless_lost(tx, lost).await? {
            self.model.last[chat] = Some(message);
            self.model.texts.insert(message, String::new());
            self.open(run, message, chat);
        }
        Ok(())
    }

    async fn continue_answer(&mut self, chat: usize, lost: bool) -> Result<(), StoreError> {
        let Some(message) = self.model.last[chat] else { return Ok(()) };
        if self.model.states[&message] == "open" || self.model.texts[&message].is_empty() || self.model.deleted[chat] {
            return Ok(());
        }
        let run = RunId::from_uuid(Uuid::new_v4());
        let mut tx = self.store.write().await?;
        let mut own = tx.owned_by(self.owner);
        own.reopen_message(message).await?;
        let new = NewRun {
            id: run,
            chat: self.chats[chat],
            message,
            model: "m",
            continues: true,
            max_open: i64::MAX,
            now: at(self.now),
        };
        assert!(own.insert_run(&new).await?);
        if commit_unless_lost(tx, lost).await? {
            self.open(run, message, chat);
        }
        Ok(())
    }

    fn open(&mut self, run: RunId, message: MessageId, chat: usize) {
        self.model.states.insert(message, "open".to_owned());
        self.model.runs.insert(run, Run { message, chat, epoch: 0, worker: None, lease_until: 0, open: true });
    }

    async fn claim(&mut self, worker: usize, run: &Index, lost: bool) -> Result<(), StoreError> {
        let mut ids: Vec<_> = self.model.runs.keys().copied().collect();
        ids.sort_unstable();
        if ids.is_empty() {
            return Ok(());
        }
        let id = *run.get(&ids);
        let lease_until = self.now + LEASE_SECONDS;
        let mut tx = self.store.write().await?;
        let claimed = tx.engine().claim_run(id, self.workers[worker], at(lease_until), MAX_RUNS_PER_USER).await?;
        let known = self.model.runs.get_mut(&id).expect("a known run");
        assert_eq!(claimed.is_some(), known.open && known.worker.is_none(), "{known:?}");
        let Some(claimed) = claimed else { return Ok(()) };
        if commit_unless_lost(tx, lost).await? {
            known.epoch += 1;
            known.worker = Some(worker);
            known.lease_until = lease_until;
            let text = if claimed.continues { self.model.texts[&claimed.message_id].clone() } else { String::new() };
            self.held[worker].insert(id, HeldRun { claimed, text });
        }
        Ok(())
    }

    /// One of the runs that a worker believes to hold.
    fn pick(&self, worker: usize, run: &Index) -> Option<HeldRun> {
        let mut ids: Vec<_> = self.held[worker].keys().copied().collect();
        ids.sort_unstable();
        (!ids.is_empty()).then(|| self.held[worker][run.get(&ids)].clone())
    }

    /// Whether a claim is still current.
    fn is_current(&self, claimed: &ClaimedRun) -> bool {
        let run = &self.model.runs[&claimed.id];
        run.open && run.worker.is_some() && run.epoch == claimed.epoch
    }

    async fn write(&mut self, worker: usize, run: &Index, words: &str, lost: bool) -> Result<(), StoreError> {
        let Some(mut held) = self.pick(worker, run) else { return Ok(()) };
        held.text.push_str(words);
        // The text stays in memory even if the write fails.
        self.held[worker].insert(held.claimed.id, held.clone());
        let mut tx = self.store.write().await?;
        let written = tx.engine().write_progress(&progress(&held)).await?;
        assert_eq!(written, self.is_current(&held.claimed), "a write with an old epoch");
        if commit_unless_lost(tx, lost).await? && written {
            self.model.texts.insert(held.claimed.message_id, held.text);
        }
        Ok(())
    }

    async fn finish(
        &mut self,
        worker: usize,
        run: &Index,
        state: &'static str,
        with_text: bool,
        lost: bool,
    ) -> Result<(), StoreError> {
        let Some(held) = self.pick(worker, run) else { return Ok(()) };
        let mut tx = self.store.write().await?;
        let won = tx
            .engine()
            .finish_run(&FinishedRun {
                claim: (&held.claimed).into(),
                progress: with_text.then(|| progress(&held)),
                state,
                failure: None,
                preview: String::new(),
                write_title: false,
                unread: false,
                now: at(self.now),
            })
            .await?;
        assert_eq!(won, self.is_current(&held.claimed), "only the current claim finishes the run");
        if commit_unless_lost(tx, lost).await? {
            self.held[worker].remove(&held.claimed.id);
            if won {
                self.close(held.claimed.id, state);
                if with_text {
                    self.model.texts.insert(held.claimed.message_id, held.text);
                }
            }
        }
        Ok(())
    }

    fn close(&mut self, run: RunId, state: &str) {
        let run = self.model.runs.get_mut(&run).expect("a known run");
        run.open = false;
        self.model.states.insert(run.message, state.to_owned());
    }

    async fn renew(&mut self, worker: usize, lost: bool) -> Result<(), StoreError> {
        let lease_until = self.now + LEASE_SECONDS;
        let mut tx = self.store.write().await?;
        let ids: Vec<_> = self.held[worker].keys().copied().collect();
        for id in &ids {
            tx.engine().renew_lease(*id, self.workers[worker], at(lease_until)).await?;
        }
        if commit_unless_lost(tx, lost).await? {
            for id in ids {
                let run = self.model.runs.get_mut(&id).expect("a known run");
                if run.open && run.worker == Some(worker) {
                    run.lease_until = lease_until;
                }
            }
        }
        Ok(())
    }

    async fn sweep(&mut self, worker: usize, lost: bool) -> Result<(), StoreError> {
        let held: HashSet<_> = self.held[worker].keys().copied().collect();
        let mut tx = self.store.write().await?;
        let count = tx.engine().interrupt_expired(at(self.now), &held).await?;
        let is_expired = |(id, run): &(&RunId, &Run)| {
            run.open && run.worker.is_some() && run.lease_until < self.now && !held.contains(id)
        };
        let expired: Vec<_> = self.model.runs.iter().filter(is_expired).map(|(id, _)| *id).collect();
        assert_eq!(count, expired.len());
        if commit_unless_lost(tx, lost).await? {
            self.mark_interrupted(&expired);
        }
        Ok(())
    }

    async fn kill(&mut self, worker: usize, lost: bool) -> Result<(), StoreError> {
        self.held[worker].clear();
        let mut tx = self.store.write().await?;
        tx.engine().interrupt_runs_of(self.workers[worker], at(self.now)).await?;
        if commit_unless_lost(tx, lost).await? {
            let own = self.model.runs.iter().filter(|(_, run)| run.open && run.worker == Some(worker));
            let own: Vec<_> = own.map(|(id, _)| *id).collect();
            self.mark_interrupted(&own);
        }
        Ok(())
    }

    fn mark_interrupted(&mut self, runs: &[RunId]) {
        for id in runs {
            self.model.runs.get_mut(id).expect("a known run").epoch += 1;
            self.close(*id, "interrupted");
        }
    }

    /// A queued run ends; a running one continues until its worker learns of the stop request.
    fn mark_stopped(&mut self, chat: usize) {
        let queued = self.model.runs.iter().find(|(_, run)| run.chat == chat && run.open && run.worker.is_none());
        if let Some(id) = queued.map(|(id, _)| *id) {
            self.close(id, "stopped");
        }
    }

    /// Compares the database with the model.
    async fn check(&self) -> Result<(), StoreError> {
        let mut tx = self.store.read().await?;
        for (message, text) in &self.model.texts {
            let sql = "select coalesce(p.text, '') as text, m.state from messages m
                       left join message_parts p on p.message_id = m.id and p.kind = 'text' where m.id = $1";
            let (stored, state) = db::fetch_optional!(tx, (String, String), sql, *message)?.expect("a message");
            assert_eq!(&stored, text, "the acknowledged text");
            // An interrupted run for which a stop was requested ends as stopped.
            let expected = &self.model.states[message];
            assert!(state == *expected || (state == "stopped" && expected == "interrupted"), "{state}, not {expected}");
        }
        let sql = "select count(*) from runs where owner_id = $1 and state <> 'ended'";
        let (open,) = db::fetch_optional!(tx, (i64,), sql, self.owner)?.expect("a count");
        assert_eq!(open as usize, self.model.runs.values().filter(|run| run.open).count());
        // However a run ends, the tokens of its last progress are added to its answer.
        let sql = "select count(*) from messages m where m.author = 'assistant' and m.answer_tokens <> (
                     select coalesce(sum(r.answer_tokens), 0) from runs r where r.message_id = m.id and r.state = 'ended')";
        let (wrong,) = db::fetch_optional!(tx, (i64,), sql)?.expect("a count");
        assert_eq!(wrong, 0, "answers whose tokens differ from those of their runs");
        Ok(())
    }
}

fn progress(held: &HeldRun) -> RunProgress {
    RunProgress {
        thinking_ms: 0,
        writing_ms: 0,
        run: held.claimed.id,
        epoch: held.claimed.epoch,
        message: held.claimed.message_id,
        text: held.text.clone(),
        reasoning: String::new(),
        truncated_messages: 0,
        prompt_tokens: 2,
        answer_tokens: i64::try_from(held.text.len()).unwrap_or_default(),
        prompt_sections: "{}".to_owned(),
    }
}

const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

/// Commits, unless the transaction is lost. Returns whether it was committed.
async fn commit_unless_lost(tx: Tx, lost: bool) -> Result<bool, StoreError> {
    if !lost {
        tx.commit().await?;
    }
    Ok(!lost)
}

#[test]
fn c01_c06_no_acknowledged_text_is_lost_in_any_order_of_actions() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let store = runtime.block_on(Store::open(folder.path(), None)).expect("a database");
    let actions = proptest::collection::vec((action(), prop::bool::weighted(0.1)), 1..60);
    proptest!(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() }, |(actions in actions)| {
        runtime.block_on(async {
            let mut world = World::new(store.clone()).await;
            for (action, lost) in &actions {
                world.execute(action, *lost).await.expect("no database error");
                world.check().await.expect("a check");
            }
        });
    });
}
