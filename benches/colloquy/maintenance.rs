//! How long background tasks on many rows block other writers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use colloquy::{
    domain::{ExportId, JobKind, Role, UserId},
    server::{
        clock::Clock,
        config::Config,
        state::AppState,
        store::{NewAuditEntry, NewUser, Store},
    },
};
use leptos::prelude::LeptosOptions;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    Counts, Result, log_step,
    report::{Report, millis},
    seed,
};

const DAY: i64 = 86_400;

/// Measures the longest wait of another writer during each task.
pub async fn measure(report: &mut Report, counts: &Counts) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = Config { data: folder.path().join("data"), audit_days: 365, ..Config::default() };
    let options = LeptosOptions::builder().output_name("colloquy").build();
    let (stopping, clock) = (CancellationToken::new(), Clock::default());
    let state = AppState::open(config, clock.clone(), options, stopping.clone()).await?;
    let mut details = Vec::new();
    let mut longest = Duration::ZERO;
    let mut record = |what: &str, (held, took): (Duration, Duration)| {
        longest = longest.max(held);
        details.push(format!("{what} {:.1} ms in {:.1} s", millis(held), took.as_secs_f64()));
    };

    let alone = measure_writer_wait(&state.store, async {
        for _ in 0..200 {
            let mut tx = state.store.write().await?;
            tx.count_attempt("bench nobody", clock.now(), 60).await?;
            tx.commit().await?;
        }
        Ok(0)
    })
    .await?;

    let ada = insert_user(&state.store, &clock, "ada@example.org", Role::Administrator).await?;
    for _ in 0..counts.removed_chats {
        seed::chat(&state.store, ada, &clock, counts.long_chat).await?;
    }
    let mut tx = state.store.write().await?;
    let ids = tx.owned_by(ada).export_chats(colloquy::domain::ChatId::from_uuid(Uuid::nil()), 1_000_000).await?;
    for chat in ids {
        tx.owned_by(ada).update_deleted(chat.id, Some(clock.now().plus_seconds(-2 * 3_600))).await?;
    }
    tx.commit().await?;
    log_step("  removing chats")?;
    let held = measure_writer_wait(&state.store, async { Ok(state.chats.remove_deleted().await?) }).await?;
    record(&format!("{} chats of {} messages removed:", counts.removed_chats, counts.long_chat), held);

    let bob = insert_user(&state.store, &clock, "bob@example.org", Role::Member).await?;
    for _ in 0..10 {
        seed::chat(&state.store, bob, &clock, counts.purged_messages / 10).await?;
    }
    seed::sessions(&state.store, &clock, counts.other_sessions).await?;
    let mut tx = state.store.write().await?;
    tx.owned_by(bob).begin_deletion(clock.now().plus_seconds(-2 * DAY), clock.now().plus_seconds(-DAY)).await?;
    tx.commit().await?;
    log_step("  deleting a person")?;
    let held = measure_writer_wait(&state.store, async {
        // The server's own worker may have done the job already.
        let seen = state.jobs.drain(JobKind::DeleteAccount).await?;
        if seen.failed > 0 { Err("the person was not deleted".into()) } else { Ok(seen.done as u64) }
    })
    .await?;
    let (messages, sessions) = (counts.purged_messages, counts.other_sessions);
    record(&format!("a person with {messages} messages deleted among {sessions} sessions of others:"), held);

    let eve = insert_user(&state.store, &clock, "eve@example.org", Role::Member).await?;
    for _ in 0..counts.many_chats {
        seed::chat(&state.store, eve, &clock, 2).await?;
    }
    let mut tx = state.store.write().await?;
    let now = clock.now();
    tx.owned_by(eve).insert_export(ExportId::from_uuid(clock.new_id()), now, now.plus_seconds(DAY)).await?;
    tx.commit().await?;
    log_step("  putting a download together")?;
    let held = measure_writer_wait(&state.store, async {
        let seen = state.jobs.drain(JobKind::BuildExport).await?;
        if seen.failed > 0 { Err("the download was not built".into()) } else { Ok(0) }
    })
    .await?;
    record(&format!("a download of {} chats:", counts.many_chats), held);

    insert_expired(&state, &clock, counts).await?;
    log_step("  deleting what has expired")?;
    let held = measure_writer_wait(&state.store, async {
        state.privacy.delete_expired().await?;
        Ok(0)
    })
    .await?;
    record(&format!("{} session records and as many acts expired:", counts.other_sessions), held);

    stopping.cancel();
    state.close().await;
    let (alone, each) = (millis(alone.0), millis(alone.1) / 200.0);
    details.push(format!("beside 200 single rows, for comparison, {alone:.1} ms, each {each:.1} ms"));
    report.record("writer hold", millis(longest), details.join("; "));
    Ok(())
}

/// Runs a task. Returns the longest time that another caller waited for the writer meanwhile, and the time of the task.
async fn measure_writer_wait(store: &Store, task: impl Future<Output = Result<u64>>) -> Result<(Duration, Duration)> {
    let (over, longest) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let (store, is_over, most) = (store.clone(), over.clone(), longest.clone());
    let probe = tokio::spawn(async move {
        while !is_over.load(Ordering::Relaxed) {
            let begun = Instant::now();
            let tx = store.write().await?;
            most.fetch_max(u64::try_from(begun.elapsed().as_micros())?, Ordering::Relaxed);
            drop(tx);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
    });
    let begun = Instant::now();
    let done = task.await;
    let took = begun.elapsed();
    over.store(true, Ordering::Relaxed);
    probe.await??;
    done?;
    Ok((Duration::from_micros(longest.load(Ordering::Relaxed)), took))
}

async fn insert_user(store: &Store, clock: &Clock, email: &str, role: Role) -> Result<UserId> {
    let id = UserId::from_uuid(clock.new_id());
    let mut tx = store.write().await?;
    let (name, password_hash, language, created_at) = ("Somebody", "", "en-GB", clock.now());
    tx.insert_user(&NewUser { id, email, email_key: email, name, password_hash, role, language, created_at }).await?;
    tx.commit().await?;
    Ok(id)
}

/// Inserts audit entries, and advances the clock until they and all session records have expired.
async fn insert_expired(state: &AppState, clock: &Clock, counts: &Counts) -> Result<()> {
    let at = clock.now();
    for from in (0..counts.other_sessions).step_by(500) {
        let mut tx = state.store.write().await?;
        for _ in from..counts.other_sessions.min(from + 500) {
            tx.insert_audit_entry(&NewAuditEntry {
                id: clock.new_id(),
                at,
                actor: Some(UserId::from_uuid(Uuid::new_v4())),
                subject: Some(UserId::from_uuid(Uuid::new_v4())),
                action: colloquy::domain::AuditAction::SignIn,
                outcome: colloquy::domain::Outcome::Done,
                detail: "",
                address: "198.51.100.7",
                user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            })
            .await?;
        }
        tx.commit().await?;
    }
    clock.advance(400 * DAY);
    Ok(())
}
