use leptos::prelude::*;

use super::{
    BranchForms, CopyButton, CopyStatus, Glyph, Icon, Menu, MessageIdInputs, ReaderClock, TimeAgo, VersionChoice,
    VersionSwitch, branch_items,
};
use crate::domain::{AnswerStats, ChatId, Message, MessageId, MessageState, ModelChoice, Timestamp, Versions};

/// The chat, the form URLs for use without scripts, and the models for a retry.
#[derive(Debug, Clone, Copy)]
pub struct AnswerForms {
    /// The chat.
    pub chat: ChatId,
    /// The actions on its branch.
    pub branch: BranchForms,
    /// URL that retries the answer.
    pub retry: &'static str,
    /// URL that continues the answer.
    pub continue_answer: &'static str,
    /// The available models.
    pub models: StoredValue<ModelChoice>,
}

/// What the user can do with an answer.
#[derive(Clone, Copy)]
pub struct AnswerCallbacks {
    /// Copies the text; the result goes into the signal.
    pub copy: Callback<(MessageId, CopyStatus)>,
    /// Retries the answer, with the selected model or with the one of this id.
    pub retry: Callback<(MessageId, Option<String>)>,
    /// Continues the answer.
    pub continue_answer: Callback<MessageId>,
}

/// What the actions of an answer need to know about it.
#[derive(Debug, Clone)]
pub struct AnswerFacts {
    id: MessageId,
    has_text: bool,
    can_continue: bool,
    failed: bool,
    model: Option<String>,
    created_at: Timestamp,
    stats: AnswerStats,
    versions: Option<Versions>,
}

impl AnswerFacts {
    /// The facts of a message.
    pub fn of(message: &Message) -> Self {
        Self {
            id: message.id,
            has_text: !message.html.is_empty(),
            can_continue: !message.html.is_empty() && message.state.can_continue(),
            failed: matches!(message.state, MessageState::Failed { .. }),
            model: message.model.clone(),
            created_at: message.created_at,
            stats: message.stats,
            versions: message.versions,
        }
    }
}

/// The row below an answer: what can be done with it, its model and its time.
#[component]
pub fn AnswerActions(
    /// The answer.
    message: AnswerFacts,
    /// The reader's clock.
    #[prop(into)]
    clock: Signal<ReaderClock>,
    /// Whether this is the last message of the chat. Only the last one can be continued.
    #[prop(into)]
    last: Signal<bool>,
    /// The id of the model for a retry.
    #[prop(into)]
    model: Signal<String>,
    /// The form URLs, for use without scripts.
    forms: AnswerForms,
    /// The callbacks, for use with scripts.
    callbacks: AnswerCallbacks,
    /// How another version is chosen.
    choice: VersionChoice,
) -> impl IntoView {
    let AnswerFacts { id, has_text, can_continue, failed, versions, .. } = message;
    let byline = message.model.clone();
    let at = message.created_at;
    let details = StoredValue::new(message);
    view! {
        <div class="actions">
            <VersionSwitch message=id versions choice />
            {has_text
                .then(|| {
                    view! { <CopyButton on_copy=Callback::new(move |copied| callbacks.copy.run((id, copied))) /> }
                })}
            // The style sheet hides it while an answer is being written.
            <div class="when-idle">
                <RetryForm id model failed forms callbacks />
                <RetryMenu id model forms callbacks />
            </div>
            {can_continue
                .then(|| {
                    view! {
                        <Show when=move || last.get()>
                            <ContinueForm id forms callbacks />
                        </Show>
                    }
                })}
            <Menu
                label=t!("chat.message.more")
                placement="menu-above"
                button_class="action"
                on_demand=true
            >
                <Details facts=details clock />
                {branch_items(forms.chat, id, forms.branch)}
            </Menu>
            <p class="byline">
                {byline.map(|model| view! { <span>{model}</span> })}
                <TimeAgo at clock />
            </p>
        </div>
    }
    .into_any()
}

#[component]
fn RetryForm(
    id: MessageId,
    model: Signal<String>,
    /// Then it is what most people want to do, so it says so.
    failed: bool,
    forms: AnswerForms,
    callbacks: AnswerCallbacks,
) -> impl IntoView {
    let (class, label) =
        if failed { ("btn btn-line btn-small", None) } else { ("action", Some(t!("chat.answer.retry"))) };
    view! {
        <form method="post" action=forms.retry on:submit=move |event| {
            event.prevent_default();
            callbacks.retry.run((id, None));
        }>
            <MessageIdInputs chat=forms.chat message=id />
            <input type="hidden" name="model" value=model />
            <button class=class type="submit" aria-label=label title=label>
                <Icon glyph=Glyph::RotateCw />
                {failed.then(|| t!("chat.answer.retry"))}
            </button>
        </form>
    }
    .into_any()
}

/// The other models, each of which retries the answer.
#[component]
fn RetryMenu(id: MessageId, model: Signal<String>, forms: AnswerForms, callbacks: AnswerCallbacks) -> impl IntoView {
    let others = move || {
        let models = forms.models.with_value(|choice| choice.models.clone());
        models.into_iter().filter(move |option| model.with(|id| *id != option.id))
    };
    let items = move || {
        let item = |option: crate::domain::ModelOption| {
            let on_click = move |_| callbacks.retry.run((id, Some(option.id.clone())));
            view! {
                <button class="menu-item" type="button" on:click=on_click>
                    {option.label}
                </button>
            }
            .into_any()
        };
        others().map(item).collect_view()
    };
    // With one model there is nothing to choose.
    forms.models.with_value(|choice| choice.models.len() > 1).then(|| {
        view! {
            <Menu
                label=t!("chat.answer.retry_with")
                placement="menu-above menu-models"
                button_class="action action-narrow"
                glyph=Glyph::ChevronDown
                on_demand=true
            >
                {items}
            </Menu>
        }
    })
}

#[component]
fn ContinueForm(id: MessageId, forms: AnswerForms, callbacks: AnswerCallbacks) -> impl IntoView {
    view! {
        <form method="post" action=forms.continue_answer on:submit=move |event| {
            event.prevent_default();
            callbacks.continue_answer.run(id);
        }>
            <MessageIdInputs chat=forms.chat message=id />
            <button class="btn btn-quiet btn-small" type="submit">
                <Icon glyph=Glyph::Play />
                {t!("chat.answer.go_on")}
            </button>
        </form>
    }
    .into_any()
}

#[component]
fn Details(facts: StoredValue<AnswerFacts>, clock: Signal<ReaderClock>) -> impl IntoView {
    let AnswerFacts { model, created_at, stats, .. } = facts.get_value();
    let row = |term: &'static str, value: String| view! { <div><dt>{term}</dt><dd>{value}</dd></div> }.into_any();
    let tokens = (stats.answer_tokens > 0)
        .then(|| t!("chat.answer.tokens_of", prompt = stats.prompt_tokens, answer = stats.answer_tokens));
    let speed = stats.tokens_per_second().map(|rate| t!("chat.answer.tokens_per_second", count = rate));
    view! {
        <dl class="details">
            {model.map(|model| row(t!("chat.answer.model"), model))}
            {row(t!("chat.answer.time"), clock.get_untracked().exact(created_at))}
            {tokens.map(|tokens| row(t!("chat.answer.tokens"), tokens))}
            {speed.map(|speed| row(t!("chat.answer.speed"), speed))}
        </dl>
    }
    .into_any()
}
