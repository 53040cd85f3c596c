/*
 * The soft rule of waking on its own: while a consumer waits for more than it
 * has, the producer's Write and ReadFrom go on as soon as one byte is free.
 * Otherwise they sleep until a quarter of the ring is. ./run checks it.
 *
 * Bytes, closed bits and cursors that wrap are in ring.pml. Here cursors are plain
 * counts.
 *
 * One d_step, or one statement, is one atomic operation of the Go code, together
 * with what its goroutine then does to its own variables.
 *
 * Sizes, by -D:
 *   N      capacity, at least 2
 *   K      bytes that the producer writes
 *   Q      what a soft wait asks for: max(1, capacity/4) in Go
 *   NC     consumers, 1 or 2
 * What may happen, by -D, any of these:
 *   PARKS     a consumer parks, as Read, Peek and Wait do
 *   NOTES     a consumer stores a note, as Notify and Ready do, and sleeps until
 *             its function has run
 *   SPINS     a wait looks again and again, for ever or until it parks. Repeated
 *             calls that move nothing are the same
 *   HARD      the producer also calls Wait and Notify
 *   RELEASES  the last consumer is released
 *   SETS      another process sets a deadline of consumer 0, or of the producer if
 *             there is only one consumer: once, with a spurious token
 * A defect, by -DMUT=…: see the names below.
 */

#ifndef N
#define N 2
#endif
#ifndef K
#define K 4
#endif
#ifndef Q
#define Q 2
#endif
#ifndef NC
#define NC 2
#endif

#define NO_MUTANT             0
#define PARK_NO_LOOK          1
#define NOTE_NO_LOOK          2
#define SPIN_NO_LOOK          3
#define LOOKS_ONCE            4
#define ARMS_AFTER_LOOK       5
#define NOTES_AFTER_LOOK      6
#define LOOKS_FOR_TARGET      7
#define LOOK_WAKES_HARD       8
#define LOOK_RUNS_P_NOTE      9
#define NO_SCAN              10
#define RELEASE_NO_SCAN      11
#define SCANS_EARLY          12
#define SCANS_NO_TARGETS     13
#define SCANS_NO_NOTES       14
#define SCANS_ONE            15
#define SCAN_WAKES_HARD      16
#define P_LOADED_EARLY       17
#define P_RECHECKS_WANT      18
#define P_SPINS_FOR_WANT     19
#define P_NOTE_NO_RECHECK    20
#define P_NOTE_FORGOTTEN     21
#define NOTE_NO_RECHECK      22
#define NOTE_FORGOTTEN       23
#define NOTE_STORES          24

#ifndef MUT
#define MUT NO_MUTANT
#endif

/*
 * The words that both halves share. A target or a note is a value of the write
 * cursor: for a consumer the one that it waits for, for the producer the one
 * that it needs space to reach. 0 is none.
 */
byte w = N;      /* write cursor; the ring starts full */
byte r[NC];      /* read cursors */
bool gone[NC];   /* the consumer is released: it does not limit the producer */
byte ptarget;      /* the producer's target, with FIRM if the wait is hard */
byte ctarget[NC];   /* the consumers' targets */
byte pnote;      /* the producer's note; always hard */
byte note[NC];   /* the consumers' notes */
bit  ptok;       /* the producer's token */
bit  ctok[NC];   /* the consumers' tokens */
bit  pran;       /* the function of the producer's note has run */
bit  cran[NC];   /* those of the consumers' notes have run */

#define FIRM    64
#define AT(t)   ((t) & (FIRM-1))
#define SOFT(t) ((t) != 0 && (t) < FIRM)

/* Variables that the code does not have, for the properties. */
byte psoft;      /* what the producer waits for softly */
byte phard;      /* what it waits for and needs */
byte waits[NC];  /* what a consumer waits for, in any way */

#define MIN(a, b) ((a) < (b) -> (a) : (b))

/* ROOM reports whether the producer may advance to to. */
#if NC == 1
#define ROOM(to) (r[0] + N >= (to))
#else
#define ROOM(to) (r[0] + N >= (to) && (gone[1] || r[1] + N >= (to)))
#endif

/* ---- waking ---- */

/* slowest sets at to how far the producer may advance. */
inline slowest() {
	at = r[0] + N;
#if NC > 1
#ifdef RELEASES
	if
	:: gone[1]
	:: else -> at = MIN(at, r[1] + N)
	fi
#else
	at = MIN(at, r[1] + N)
#endif
#endif
}

/* hand disarms the target that was loaded into t, and posts if it succeeded. A hard
 * wait must have what it needs. */
inline hand(target, token) {
	d_step {
		if
		:: target == t -> assert(t < FIRM || ROOM(AT(t))); target = 0
		:: else -> t = 0
		fi
	};
	if
	:: t != 0 -> d_step { token = 1; t = 0 }
	:: else
	fi
}

/* runNote takes the note that was loaded into t, and runs its function if it
 * succeeded. */
inline runNote(anote, ran, waited) {
	d_step {
		if
		:: anote == t || MUT == NOTE_STORES -> anote = 0
		:: else -> t = 0
		fi
	};
	if
	:: t != 0 -> d_step { assert(waited == t && !ran); ran = 1; t = 0 }
	:: else
	fi
}

/* look wakes a producer that waits softly and has any free space. A waiting
 * consumer calls it after it has stored its target or note. */
inline look() {
	if
	:: d_step { SOFT(ptarget) || MUT == LOOK_WAKES_HARD && ptarget != 0 -> t = ptarget };
		slowest();
		if
		:: at > w && (MUT != LOOKS_FOR_TARGET || at >= AT(t)) -> hand(ptarget, ptok)
		:: else
		fi;
		d_step { t = 0; at = 0 }
	:: else
	fi
#if MUT == LOOK_RUNS_P_NOTE
	;
	if
	:: d_step { pnote != 0 -> t = pnote };
		slowest();
		if
		:: at > w -> runNote(pnote, pran, phard)
		:: else
		fi;
		d_step { t = 0; at = 0 }
	:: else
	fi
#endif
}

/* scan sets st if a consumer has a target or a note. */
inline scan() {
	skip;
#if defined(PARKS) && MUT != SCANS_NO_TARGETS
	st = st || ctarget[0] != 0;
#endif
#if defined(NOTES) && MUT != SCANS_NO_NOTES
	st = st || note[0] != 0;
#endif
#if NC > 1 && MUT != SCANS_ONE
#if defined(PARKS) && MUT != SCANS_NO_TARGETS
	st = st || ctarget[1] != 0;
#endif
#if defined(NOTES) && MUT != SCANS_NO_NOTES
	st = st || note[1] != 0;
#endif
#endif
}

/* discarded wakes and notifies the producer. It runs after a cursor or a release has
 * been stored. */
inline discarded(scans) {
	if
#if MUT == P_LOADED_EARLY
	:: t != 0 ->
#else
	:: d_step { ptarget != 0 -> t = ptarget };
#endif
		slowest();
		if
		:: at >= AT(t) -> hand(ptarget, ptok)
		:: at < AT(t) && at > w && scans && (SOFT(t) || MUT == SCAN_WAKES_HARD) ->
#if MUT != SCANS_EARLY && MUT != NO_SCAN
			scan();
#endif
			if
			:: st -> hand(ptarget, ptok)
			:: else
			fi
		:: else
		fi;
		d_step { t = 0; at = 0; st = false }
	:: else
	fi
#if defined(HARD) && MUT != P_NOTE_FORGOTTEN
	;
	if
	:: d_step { pnote != 0 -> t = pnote };
		slowest();
		if
		:: at >= t -> runNote(pnote, pran, phard)
		:: else
		fi;
		d_step { t = 0; at = 0 }
	:: else
	fi
#endif
}

/* ---- the producer ---- */

/* committedTo wakes and notifies consumer c if it has what it waits for. */
inline committedTo(c) {
	skip
#ifdef PARKS
	;
	if
	:: d_step { ctarget[c] != 0 && ctarget[c] <= w -> t = ctarget[c] }; hand(ctarget[c], ctok[c])
	:: else
	fi
#endif
#if defined(NOTES) && MUT != NOTE_FORGOTTEN
	;
	if
	:: d_step { note[c] != 0 && note[c] <= w -> t = note[c] }; runNote(note[c], cran[c], waits[c])
	:: else
	fi
#endif
}

/* ROUNDS is how often a spinning producer finds less than it asks for before it
 * takes what it has found. */
#define ROUNDS 1

/* spin asks for want free bytes until it finds them, or parks. */
inline spin() {
	do
	:: true ->
		slowest();
		if
		:: at >= w + want -> break
		:: at < w + want && at >= w + need ->
			if
			:: n < ROUNDS -> n++
			:: n == ROUNDS && MUT != P_SPINS_FOR_WANT -> break
			:: n == ROUNDS && MUT == P_SPINS_FOR_WANT
			fi
		:: else
		fi;
		at = 0
	:: at = 0; break
	od
}

/* park asks for want free bytes, and sleeps until at least need are there. */
inline park() {
	do
	:: at >= w + need -> break
	:: else ->
		ptarget = (w + want) | firm;
		slowest();
		if
		:: at >= w + (MUT == P_RECHECKS_WANT -> want : need) -> break
		:: else
		fi;
end_parked:	d_step { ptok -> ptok = 0 };
		slowest()
	od;
	ptarget = 0
}

inline await() {
	d_step {
		if
		:: firm -> need = want; phard = w + want
		:: else -> need = 1; want = MIN(left, Q); psoft = w + want
		fi
	};
#ifdef SPINS
	spin();
#endif
	park();
	d_step { psoft = 0; phard = 0; need = 0; at = 0; n = 0 }
}

/* notify stores a note for want free bytes, and sleeps until its function has run,
 * unless the bytes are free already. */
inline notify() {
	d_step { phard = w + want; pnote = phard };
#if MUT != P_NOTE_NO_RECHECK
	slowest();
	if
	:: at >= phard ->
		if
		:: d_step { pnote == phard -> pnote = 0; st = true }
		:: else
		fi
	:: else
	fi;
#endif
end_noted:
	d_step { st || pran -> assert(ROOM(phard)); st = false; pran = 0; phard = 0; at = 0 }
}

active proctype Producer() {
	byte left, want, need, firm, n, t, at;
	bool st;

	do
	:: w == K -> break
	:: w < K ->
		if /* Write of one byte, or of all */
		:: left = K - w
#ifndef ONE_WRITE
		:: left = 1
#endif
#ifdef HARD
		:: /* Wait, then Write of as much */
			if
			:: want = 2
#if N > 2
			:: want = N
#endif
			fi;
			firm = FIRM
		:: /* the same with Notify, or Ready */
			if
			:: want = 1
			:: want = 2
			fi;
			notify();
			left = MIN(want, K - w)
#endif
		fi;
		do
		:: left == 0 && !firm -> break
		:: else ->
			slowest();
			if
			:: firm && at >= w + want ->
				d_step { left = MIN(want, K - w); firm = 0; at = 0 }
			:: !firm && at > w ->
				d_step { n = MIN(left, at - w); w = w + n; left = left - n; n = 0; at = 0 };
				committedTo(0);
#if NC > 1
				committedTo(1)
#endif
			:: else -> at = 0; await()
			fi
		od;
		want = 0
	od
}

/* ---- a consumer ---- */

#define id (_pid - 1) /* the producer is process 0 */

/* discard gives one byte back. */
inline discard() {
#if MUT == SCANS_EARLY
	r[id] < w -> scan();
#elif MUT == P_LOADED_EARLY
	r[id] < w -> t = ptarget;
#endif
	d_step { r[id] < w -> r[id]++ };
	discarded(true)
#if MUT == SCANS_EARLY
	;
	st = false
#endif
}

inline cPark() {
	do
	:: true ->
#if MUT == ARMS_AFTER_LOOK
		look();
#endif
		ctarget[id] = waits[id];
		if
		:: w >= waits[id] -> break
		:: else
		fi;
#if MUT == LOOKS_ONCE
		if
		:: !st -> look(); st = true
		:: else
		fi;
#elif MUT != PARK_NO_LOOK && MUT != ARMS_AFTER_LOOK
		look();
#endif
end_parked:	d_step { ctok[id] -> ctok[id] = 0 };
		if
		:: w >= waits[id] -> break
		:: else
		fi
	od;
	atomic { ctarget[id] = 0; waits[id] = 0; st = false } /* spin allows no d_step after a break */
}

inline cNote() {
#if MUT == NOTES_AFTER_LOOK
	look();
#endif
	note[id] = waits[id];
	if
	:: w >= waits[id] && MUT != NOTE_NO_RECHECK ->
		if
		:: d_step { note[id] == waits[id] -> note[id] = 0; st = true }
		:: else
		fi
	:: else ->
#if MUT != NOTE_NO_LOOK && MUT != NOTES_AFTER_LOOK
		look()
#endif
	fi;
end_noted:
	do
	:: d_step { st || cran[id] -> assert(w >= waits[id]); st = false; cran[id] = 0 }; break
	:: !st && r[id] < w -> discard() /* calls that do not park leave the note */
	od;
	waits[id] = 0
}

/* A wait begins if there is less than it waits for. */
#define BEGIN(n) d_step { r[id] + (n) > w && r[id] + (n) <= K -> waits[id] = r[id] + (n) }

active [NC] proctype Consumer() {
	byte t, at;
	bool st;

end_idle:
	do
	:: break /* it calls nothing more */
#ifdef RELEASES
	:: id == NC - 1 -> gone[id] = true; discarded(MUT != RELEASE_NO_SCAN); break
#endif
	:: discard()
	:: if
		:: BEGIN(1)
		:: BEGIN(2)
#if N > 2
		:: BEGIN(N)
#endif
		fi;
		do
#ifdef PARKS
		:: cPark(); break
#endif
#ifdef NOTES
		:: cNote(); break
#endif
#ifdef SPINS
		:: d_step { w >= waits[id] -> waits[id] = 0 }; break
		:: w < waits[id] ->
#if MUT != SPIN_NO_LOOK
			look()
#endif
#endif
		od
	od
}

#ifdef SETS
active proctype Setter() {
	if
#if NC == 1
	:: d_step { ptarget != 0 -> ptarget = 0 }; ptok = 1
#endif
	:: d_step { ctarget[0] != 0 -> ctarget[0] = 0 }; ctok[0] = 1
	:: true
	fi
}
#endif

/* ---- what must hold ---- */

#define STARVES(c) (waits[c] > w)
#define C_STUCK(c) (waits[c] != 0 && waits[c] <= w)
#if NC == 1
#define ANY(X) X(0)
#else
#define ANY(X) (X(0) || X(1))
#endif
#define P_STUCK (psoft != 0 && (ROOM(psoft) || ROOM(w + 1) && ANY(STARVES)) || phard != 0 && ROOM(phard))

#ifdef REFEREE
/* When no process can move, none sleeps that has what it waits for, and the soft
 * rule is kept. */
active proctype Referee() {
	bool stuck;

	timeout;
	stuck = P_STUCK || ANY(C_STUCK);
	assert(!stuck)
}
#endif

/* The same while consumers spin. */
ltl awake { []<> (!P_STUCK && !ANY(C_STUCK)) }
