//! A channel whose every message is known, and the pages of it that are timed.

use anyhow::{Context as _, Result, bail, ensure};
use hyper::Uri;
use serde::{Deserialize, Serialize};

use crate::fill::Filling;
use crate::http::{Call, Connection, Login};
use crate::marker::DIGITS;
use crate::progress::Progress;

/// Different pages of the middle of a channel that are asked for in turn.
const MIDDLE_PAGES: usize = 100;

/// Where in a channel a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Place {
    Newest,
    /// Anywhere in the middle half.
    Middle,
    Oldest,
}

impl Place {
    pub(super) const ALL: [Place; 3] = [Place::Newest, Place::Middle, Place::Oldest];

    pub(super) fn name(self) -> &'static str {
        match self {
            Place::Newest => "the newest",
            Place::Middle => "the middle",
            Place::Oldest => "the oldest",
        }
    }
}

/// A page and the messages it must have.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) uri: Uri,
    /// Their numbers, newest first.
    expected: Vec<u64>,
    is_oldest: bool,
}

impl Request {
    pub(super) fn check(&self, body: &[u8]) -> Result<()> {
        let page = Page::parse(body)?;
        let numbers = page.numbers()?;
        ensure!(numbers == self.expected, "{} answers {numbers:?} instead of {:?}", self.uri, self.expected);
        ensure!(page.next.is_none() == self.is_oldest, "{}: `next` is {:?}", self.uri, page.next);
        Ok(())
    }
}

#[derive(Debug)]
pub(super) struct Channel {
    pub(super) login: Login,
    len: usize,
    requests: [Vec<Request>; 3],
}

impl Channel {
    /// Reads the whole channel, page by page from the newest message, and finds each of `filling` once, those of each
    /// connection in the order in which it posted them.
    pub(super) async fn walk(
        connection: &mut Connection,
        login: Login,
        channel: &str,
        filling: &Filling,
        limit: usize,
    ) -> Result<Channel> {
        let path = format!("/v1/channels/{channel}/messages?limit={limit}");
        let (mut numbers, mut older, mut newer) = (Vec::new(), vec![path.clone()], Vec::new());
        let count = usize::try_from(filling.numbers.end - filling.numbers.start)?;
        let progress = Progress::steps(&format!("walking {count} messages"), count.div_ceil(limit));
        loop {
            let uri = older.last().context("the newest page stands first")?.parse::<Uri>()?;
            let body = connection.succeed(Call::get(uri, Some(&login))).await?;
            let page = Page::parse(&body)?;
            numbers.extend(page.numbers()?);
            newer.push(page.prev.map(|cursor| format!("{path}&after={cursor}")));
            progress.step();
            let Some(cursor) = page.next else { break };
            ensure!(numbers.len() < count, "the channel goes on after {count} messages");
            older.push(format!("{path}&before={cursor}"));
        }
        check_order(&numbers, filling)?;
        let requests = requests(&numbers, &older, &newer, limit)?;
        Ok(Channel { login, len: count, requests })
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The n-th page asked for; the three places take turns.
    pub(super) fn request(&self, n: usize) -> (usize, &Request) {
        let place = n % self.requests.len();
        let pages = &self.requests[place];
        (place, &pages[n / self.requests.len() % pages.len()])
    }
}

/// Pages of each place, in both directions: `older[i]` answers the i-th page from the newest, `newer[i]` the page on the
/// newer side of it.
fn requests(
    numbers: &[u64],
    older: &[String],
    newer: &[Option<String>],
    limit: usize,
) -> Result<[Vec<Request>; 3]> {
    let request = |path: &str, from: usize| {
        let to = (from + limit).min(numbers.len());
        let (expected, is_oldest) = (numbers[from..to].to_vec(), to == numbers.len());
        anyhow::Ok(Request { uri: path.parse()?, expected, is_oldest })
    };
    let both = |page: usize| {
        let before = request(&older[page], page * limit)?;
        let after = match &newer[page] {
            Some(path) => Some(request(path, (page - 1) * limit)?),
            None => None,
        };
        anyhow::Ok([Some(before), after].into_iter().flatten())
    };
    let last = older.len().checked_sub(1).context("a channel has pages")?;
    ensure!(last >= 3, "a channel needs four pages and more to have a middle");
    let (from, to) = (older.len() / 4, older.len() * 3 / 4);
    let step = (to - from).div_ceil(MIDDLE_PAGES).max(1);
    let mut middle = Vec::new();
    for page in (from.max(1)..to.max(2)).step_by(step) {
        middle.extend(both(page)?);
    }
    Ok([vec![request(&older[0], 0)?], middle, both(last)?.collect()])
}

/// Every number once, and those of each connection in the order of its posts.
fn check_order(numbers: &[u64], filling: &Filling) -> Result<()> {
    let mut found = numbers.to_vec();
    found.sort_unstable();
    ensure!(
        found.iter().copied().eq(filling.numbers.clone()),
        "the channel has {} messages, and not each of {:?} once",
        found.len(),
        filling.numbers
    );
    let mut last_of = vec![u64::MAX; filling.connections];
    for &number in numbers {
        let last = usize::try_from(filling.poster(number)).ok().and_then(|poster| last_of.get_mut(poster));
        let Some(last) = last else { bail!("{number} has no poster") };
        ensure!(number < *last, "{number} comes before {last}, which was posted later");
        *last = number;
    }
    Ok(())
}

#[derive(Debug, Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    items: Vec<Item<'a>>,
    next: Option<String>,
    prev: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Item<'a> {
    content: &'a str,
}

impl Page<'_> {
    fn parse(body: &[u8]) -> Result<Page<'_>> {
        serde_json::from_slice(body)
            .with_context(|| format!("not a page of messages: {}", String::from_utf8_lossy(body)))
    }

    fn numbers(&self) -> Result<Vec<u64>> {
        let number = |item: &Item<'_>| {
            let digits = item.content.strip_prefix("seq-").and_then(|rest| rest.get(..DIGITS));
            digits
                .and_then(|digits| digits.parse().ok())
                .with_context(|| format!("not ours: {}", item.content))
        };
        self.items.iter().map(number).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filling() -> Filling {
        // Two connections: 10..15 and 15..20.
        Filling { numbers: 10..20, connections: 2, length: 20 }
    }

    #[test]
    fn connections_may_interleave_but_not_reorder() {
        let order = [19, 14, 18, 13, 17, 16, 12, 11, 15, 10];
        check_order(&order, &filling()).unwrap();
        let mut swapped = order;
        swapped.swap(1, 3);
        assert!(check_order(&swapped, &filling()).is_err());
    }

    #[test]
    fn messages_that_are_missing_repeated_or_foreign_are_seen() {
        let order = [19, 14, 18, 13, 17, 16, 12, 11, 15, 10];
        assert!(check_order(&order[1..], &filling()).is_err());
        for wrong in [19, 20, 9] {
            let mut order = order;
            order[1] = wrong;
            assert!(check_order(&order, &filling()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn pages_expect_what_the_walk_found_there() {
        let numbers: Vec<u64> = (0..95).rev().collect();
        let older: Vec<String> = (0..10).map(|page| format!("/o{page}")).collect();
        let newer: Vec<Option<String>> =
            (0..10).map(|page| (page > 0).then(|| format!("/n{page}"))).collect();
        let [newest, middle, oldest] = requests(&numbers, &older, &newer, 10).unwrap();
        let shown = |requests: &[Request]| {
            let one = |r: &Request| (r.uri.to_string(), r.expected[0], r.expected.len(), r.is_oldest);
            requests.iter().map(one).collect::<Vec<_>>()
        };
        assert_eq!(shown(&newest), [("/o0".to_owned(), 94, 10, false)]);
        assert_eq!(shown(&oldest), [("/o9".to_owned(), 4, 5, true), ("/n9".to_owned(), 14, 10, false)]);
        assert_eq!(
            shown(&middle)[..2],
            [("/o2".to_owned(), 74, 10, false), ("/n2".to_owned(), 84, 10, false)]
        );
        assert_eq!(middle.len(), 2 * 5);
    }

    #[test]
    fn a_wrong_page_is_refused() {
        let request = Request { uri: Uri::from_static("/o"), expected: vec![2, 1], is_oldest: false };
        let body = |items: &[u64], next: &str| {
            let items: Vec<String> =
                items.iter().map(|n| format!(r#"{{"id":"x","content":"seq-{n:012} hi"}}"#)).collect();
            format!(r#"{{"items":[{}],"next":{next},"prev":null}}"#, items.join(","))
        };
        request.check(body(&[2, 1], "\"c\"").as_bytes()).unwrap();
        for wrong in [body(&[1, 2], "\"c\""), body(&[2], "\"c\""), body(&[2, 1], "null")] {
            assert!(request.check(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
