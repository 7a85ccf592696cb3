use leptos::prelude::*;

use super::list::RowList;
use crate::{components::ReaderClock, domain::Timestamp};

/// The rows of a log under the days on which they happened.
#[component]
pub fn DayList(
    /// The times of the rows, newest first.
    times: Vec<Timestamp>,
    /// The reader's clock.
    #[prop(into)]
    clock: Signal<ReaderClock>,
    /// Renders the name of a day.
    heading: fn(String) -> AnyView,
    /// Renders the row with this index.
    row: Callback<usize, AnyView>,
) -> impl IntoView {
    // The rows are only rendered again when a day has passed.
    let days = Memo::new(move |_| clock.with(|clock| count_days(&times, clock)));
    move || {
        let mut first = 0;
        let render = |(day, count): (String, usize)| {
            let rows = (first..first + count).map(|index| row.run(index)).collect_view();
            first += count;
            view! {
                <section>
                    {heading(day)} <RowList>{rows}</RowList>
                </section>
            }
        };
        days.get().into_iter().map(render).collect_view()
    }
}

/// The days and the number of their rows.
fn count_days(times: &[Timestamp], clock: &ReaderClock) -> Vec<(String, usize)> {
    let days: Vec<String> = times.iter().map(|at| clock.day_heading(*at)).collect();
    let group = |days: &[String]| days.first().map(|day| (day.clone(), days.len()));
    days.chunk_by(|one, other| one == other).filter_map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::ReaderZone;

    #[test]
    fn rows_are_counted_by_the_day_of_the_reader() {
        let now = Timestamp::from_micros(1_795_262_400_000_000);
        let clock = ReaderClock { now, zone: ReaderZone::Known([].into()) };
        let times = [0, 11, 13, 14, 40].map(|hours| now.plus_seconds(-hours * 3_600));
        let days = count_days(&times, &clock);
        let days: Vec<_> = days.iter().map(|(day, count)| (day.as_str(), *count)).collect();
        assert_eq!(days, [("Today", 2), ("Yesterday", 2), ("19 November", 1)]);
        assert_eq!(count_days(&[], &clock), []);
    }
}
