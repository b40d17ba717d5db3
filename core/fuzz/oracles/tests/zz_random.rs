use barewire_oracles::TARGETS;
#[test]
fn random() {
    let count: u64 = std::env::var("COUNT").map_or(20000, |c| c.parse().unwrap());
    for target in TARGETS.iter().filter(|t| t.name.starts_with("file_")) {
        let mut x = 88172645463325252_u64;
        let mut next = || {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            x
        };
        for n in 0..count {
            let len = 8 + (next() % 250) as usize;
            // Structured: few values often
            let mode = next() % 3;
            let bytes: Vec<u8> = (0..len)
                .map(|_| {
                    let v = next();
                    match mode {
                        0 => v as u8,
                        1 => {
                            if v & 256 == 0 {
                                v as u8
                            } else {
                                (v as u8) & 3
                            }
                        }
                        _ => {
                            if v & 768 != 0 {
                                (v as u8) & 1
                            } else {
                                v as u8
                            }
                        }
                    }
                })
                .collect();
            let r = std::panic::catch_unwind(|| (target.run)(&bytes));
            if r.is_err() {
                std::fs::write("/tmp/fail_input", &bytes).unwrap();
                panic!("{} n={n}", target.name);
            }
        }
    }
}
