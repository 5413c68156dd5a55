use client::live::sse::{Item, Parser};
use proptest::prelude::*;

fn parse<'a>(most: usize, chunks: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Item>, bool) {
    let mut parser = Parser::new(most);
    let mut items = Vec::new();
    let fits = chunks.into_iter().try_for_each(|chunk| parser.push(chunk, &mut items)).is_ok();
    (items, fits)
}

/// Bytes that look like a stream often enough to reach every branch.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"\n".to_vec()),
        Just(b"\r".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"data".to_vec()),
        Just(b"event: a".to_vec()),
        Just(b"id: 7".to_vec()),
        Just(b"id: \0".to_vec()),
        Just(b"retry: 10".to_vec()),
        Just(b": ".to_vec()),
        Just("\u{feff}".as_bytes().to_vec()),
        Just("data: ☃é".as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..6),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn chunks_cut_anywhere_give_what_the_whole_gives(
        stream in stream(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let chunks = cuts.windows(2).map(|cut| &stream[cut[0]..cut[1]]);
        prop_assert_eq!(parse(1 << 20, chunks), parse(1 << 20, [&stream[..]]));
    }

    #[test]
    fn single_bytes_give_what_the_whole_gives_even_at_the_limit(stream in stream(), most in 1..40_usize) {
        prop_assert_eq!(parse(most, stream.chunks(1)), parse(most, [&stream[..]]));
    }

    #[test]
    fn random_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..2000), most in 0..200_usize) {
        for item in parse(most, [&bytes[..]]).0 {
            if let Item::Event(event) = item {
                // A byte that isn't UTF-8 becomes a replacement character of three.
                prop_assert!(event.data.len() <= 3 * most);
            }
        }
    }
}
