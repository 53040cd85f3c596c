// Moves chunks from one thread to another through rtrb, as the suites of bench do
// through bytering: chunks of SIZE bytes with their number at both ends, through
// CAPACITY bytes. It prints the ns that COUNT chunks take.
//
//     main SIZE CAPACITY COUNT

use std::sync::Barrier;
use std::time::Instant;

const STAMP: usize = 8;

fn stamp(b: &mut [u8], seq: u64) {
    b[..STAMP].copy_from_slice(&seq.to_le_bytes());
    let n = b.len();
    if n >= 2 * STAMP {
        b[n - STAMP..].copy_from_slice(&(!seq).to_le_bytes());
    }
}

fn number(b: &[u8]) -> u64 {
    u64::from_le_bytes(b[..STAMP].try_into().unwrap())
}

fn check(b: &[u8], seq: u64) {
    assert_eq!(number(b), seq, "the beginning of a chunk");
    if b.len() >= 2 * STAMP {
        assert_eq!(!number(&b[b.len() - STAMP..]), seq, "the end of a chunk");
    }
}

// rtrb does not block: whoever finds nothing to do yields.
fn write(p: &mut rtrb::Producer<u8>, mut b: &[u8]) {
    while !b.is_empty() {
        let (_, rest) = p.push_partial_slice(b);
        if rest.len() == b.len() {
            std::thread::yield_now();
        }
        b = rest;
    }
}

fn read(c: &mut rtrb::Consumer<u8>, mut b: &mut [u8]) {
    while !b.is_empty() {
        let n = b.len();
        let (_, rest) = c.pop_partial_slice(b);
        if rest.len() == n {
            std::thread::yield_now();
        }
        b = rest;
    }
}

fn main() {
    let args: Vec<usize> = std::env::args().skip(1).map(|a| a.parse().expect("a number")).collect();
    let [size, capacity, count] = args[..] else {
        panic!("usage: main SIZE CAPACITY COUNT");
    };
    let (mut p, mut c) = rtrb::RingBuffer::<u8>::new(capacity);
    let warm = (2 * capacity / size).max(2); // touches all memory
    let barrier = Barrier::new(2);
    let took = std::thread::scope(|s| {
        let barrier = &barrier;
        s.spawn(move || {
            let mut b = vec![0; size];
            for round in [warm, count] {
                barrier.wait();
                for seq in 0..round {
                    stamp(&mut b, seq as u64);
                    write(&mut p, &b);
                }
            }
        });
        let mut b = vec![0; size];
        let mut took = 0;
        for round in [warm, count] {
            barrier.wait();
            let start = Instant::now();
            for seq in 0..round {
                read(&mut c, &mut b);
                check(&b, seq as u64);
            }
            took = start.elapsed().as_nanos();
        }
        assert!(c.is_empty(), "bytes are left");
        took
    });
    println!("{took}");
}
