/*
 * The wake protocol of the ring (wait.go, and I5, I6 and I8 of ring.go) on its
 * own: one producer, NC consumers that each see every byte, and another process
 * that may close a half at any moment. ./run checks it.
 *
 * One d_step is one atomic operation of the Go code, together with what its
 * goroutine then does to its own variables. Any process may run between two of
 * them. Each byte that is copied is a step too.
 *
 * Sizes, by -D:
 *   N      capacity, below M/2
 *   K      bytes that the producer writes, below M
 *   Q      the writer's hysteresis: max(1, capacity/4) in Go, independent of the
 *          capacity here, so that it has an effect on a ring of three bytes
 *   NC     consumers; if more than 1, each has a hold word
 *   ONE_WRITE  the producer writes all bytes at once, otherwise in pieces of one
 *          byte or of all that is left
 *   ONE_READ   consumer 0 reads once only, then waits to be closed
 * What closes a half, by -D, any of these; with none the producer never closes:
 *   P_CLOSES   the producer, when it has written K bytes
 *   C_CLOSES   a consumer, between any two reads
 *   C_LEAVES   a consumer may stop after any read without closing: the producer
 *          must be woken by what it gave back, not by what it does next
 *   THIRD_P    another process closes the producer
 *   THIRD_C    another process closes consumer 0
 * A defect, by -DMUT=…: see the names below.
 */

#ifndef N
#define N 2
#endif
#ifndef K
#define K 4
#endif
#ifndef Q
#define Q 1
#endif
#ifndef NC
#define NC 1
#endif

#define NO_MUTANT                0
#define P_NO_RECHECK             1
#define C_NO_RECHECK             2
#define P_ARMS_LATE              3
#define C_ARMS_LATE              4
#define P_TARGET_FIRST           5
#define C_TARGET_FIRST           6
#define P_PUBLISHES_FIRST        7
#define C_GIVES_BACK_FIRST       8
#define P_STORES                 9
#define C_STORES                10
#define P_COMMITS_ANYWAY        11
#define P_CLOSE_WAKES_NO_C      12
#define P_CLOSE_WAKES_NO_P      13
#define C_CLOSE_WAKES_NO_P      14
#define C_CLOSE_WAKES_NO_C      15
#define P_RECHECK_NOT_OWN_CLOSE 16
#define P_RECHECK_NOT_OPEN      17
#define C_RECHECK_NOT_END       18
#define C_RECHECK_NOT_OWN_CLOSE 19
#define NOT_DISARMED            20
#define DISARM_STORES           21
#define P_STAYS_ARMED           22
#define C_STAYS_ARMED           23
#define NO_SOFT_RULE            24
#define P_RECHECK_WHOLE_TARGET  25
#define ZERO_IS_NOBODY          26
#define P_ERROR_LATE            27
#define C_ERROR_LATE            28
#define LAST_ERROR_WINS         29
#define P_LIMIT_TOO_FAR         30
#define C_TARGET_TOO_FAR        31
#define REACHED_NOT_ROUND       32
#define P_STALE_LIMIT           33
#define C_STALE_LIMIT           34
#define C_WAKES_BEFORE_OPEN     35
#define END_FROM_TWO_LOADS      36
#define FASTEST_LIMITS          37
#define ONE_WOKEN               38
#define RELEASED_HOLDING        39
#define RELEASE_WAKES_NOBODY    40
#define ONE_CLOSED_ENDS         41
#define P_TARGET_TOO_FAR        43

#ifndef MUT
#define MUT NO_MUTANT
#endif

/*
 * Cursors count modulo M and wrap within a run, because they start just below M.
 * The bit above the count is the closed bit of a cursor and the armed bit of a
 * target.
 */
#define M     8
#define START 6
#define BIT   M

#define POS(x)         ((x) & (M-1))
#define CLOSED(x)      (((x) & BIT) != 0)
#define DIST(from, to) POS((to) - (from))
#if MUT == REACHED_NOT_ROUND
#define REACHED(at, want) ((at) >= (want))
#else
#define REACHED(at, want) (DIST(want, at) < M/2)
#endif

#if MUT == ZERO_IS_NOBODY
#define TO(x)    POS(x)
#define ARMED(t) ((t) != 0)
#else
#define TO(x)    (POS(x) | BIT)
#define ARMED(t) (((t) & BIT) != 0)
#endif

#define MIN(a, b) ((a) < (b) -> (a) : (b))

/* The words that both halves share. */
byte w = START;      /* write cursor */
byte r[NC] = START;  /* read cursors */
byte ptarget;          /* the producer's target: the read cursor it waits for */
byte ctarget[NC];       /* the consumers' targets: the write cursor they wait for */
bit  ptok;           /* the producer's token */
bit  ctok[NC];       /* the consumers' tokens */
byte open = NC;      /* consumers that are not closed */
byte werr;           /* the producer's error; 0 is nil */
byte rerr[NC];       /* the consumers' errors */
byte hold[NC];       /* hold.go; used if NC > 1 */
byte mem[N] = M;     /* a byte's content is its cursor value; M is none */

#define HELD    1
#define CLOSING 2

/* Variables that the code does not have, for the properties. */
byte put;            /* bytes that Write has counted */
byte got[NC];        /* bytes that a consumer has taken */
byte need[NC];       /* what a consumer waits for, or tries to take */
bool pdone;          /* Write has returned, and Close if it is called */
byte cdone[NC];      /* 1: saw the end of the stream, 2: was closed, 3: left */
byte seen[NC];       /* the error that a consumer was given at the end */
byte powed;          /* posts that the arming of ptarget still allow */
byte cowed[NC];      /* the same of ctarget */

#define NONE 255

#if NC > 1
#if MUT == RELEASED_HOLDING
#define RELEASED(c) ((hold[c] & CLOSING) != 0)
#else
#define RELEASED(c) (hold[c] == CLOSING)
#endif
#else
#define RELEASED(c) false
#endif

/* I1, after a cursor has changed. A closed consumer does not limit the producer. */
#define IN_RANGE(c) (CLOSED(r[c]) || DIST(POS(r[c]), POS(w)) <= N)

/* ---- waking, as in wait.go ---- */

/* arm stores a target. One arming allows one post, however often it is repeated. */
inline arm(target, owed, want) {
	d_step {
		if
		:: ARMED(target)
		:: else -> owed++
		fi;
		target = TO(want)
	}
}

inline disarm(target, owed) {
	d_step {
		if
		:: ARMED(target) -> owed--
		:: else
		fi;
		target = 0
	}
}

/* look loads a target into t, or leaves t 0 if no half has to be woken. */
inline look(target, reach) {
	d_step {
		if
		:: ARMED(target) && (reach) -> t = target
		:: else
		fi
	}
}

/* hand disarms the target that look has found, and posts if it succeeded. */
inline hand(target, token, owed) {
	if
	:: d_step {
		t != 0 ->
#if MUT == NOT_DISARMED
		if
		:: target == t
		:: else -> t = 0
		fi
#elif MUT == DISARM_STORES
		target = 0
#else
		if
		:: target == t -> target = 0
		:: else -> t = 0
		fi
#endif
	   }
	   if
	   :: d_step { t != 0 -> assert(owed > 0); owed--; token = 1; t = 0 }
	   :: else
	   fi
	:: else
	fi
}

inline wake(target, token, owed, reach) {
	look(target, reach);
	hand(target, token, owed)
}

/* slowest sets at to the smallest read cursor that limits the producer, or to
 * NONE. */
inline slowest() {
#if NC == 1
	d_step { at = POS(r[0]) }
#else
	do
	:: k == NC -> break
	:: k < NC ->
		if
		:: RELEASED(k)
		:: else ->
			d_step {
				if
#if MUT == FASTEST_LIMITS
				:: at == NONE || REACHED(POS(r[k]), at) -> at = POS(r[k])
#else
				:: at == NONE || !REACHED(POS(r[k]), at) -> at = POS(r[k])
#endif
				:: else
				fi
			}
		fi;
		k++
	od;
	k = 0 /* spin allows no d_step after a break */
#endif
}

#define BACK_TO_SPACE (at == NONE || REACHED(at, POS(ptarget)))

/* discarded wakes the producer if what it waits for is free now. The code also
 * looks for consumers that wait. That is in soft.pml: it matters only with two
 * consumers on a ring whose quarter is above one byte. */
inline discarded() {
	if
	:: ARMED(ptarget) ->
		slowest();
		wake(ptarget, ptok, powed, BACK_TO_SPACE);
		at = NONE
	:: else
	fi
}

/* shareSpace runs before a consumer sleeps. It wakes a producer that waits for more
 * than is free, if any byte is free. */
#if MUT == NO_SOFT_RULE
#define shareSpace() skip
#else
inline shareSpace() {
	if
	:: ARMED(ptarget) ->
		slowest();
		if
		:: at != NONE && DIST(at, POS(w)) < N ->
			at = NONE;
			wake(ptarget, ptok, powed, true)
		:: else -> at = NONE
		fi
	:: else
	fi
}
#endif

/* ---- closing ---- */

inline setErr(to, e) {
	d_step {
		if
		:: to == 0 || MUT == LAST_ERROR_WINS -> to = e
		:: else
		fi
	}
}

inline closeProducer(e) {
#if MUT != P_ERROR_LATE
	setErr(werr, e);
#endif
	d_step { was = CLOSED(w); w = w | BIT };
#if MUT == P_ERROR_LATE
	setErr(werr, e);
#endif
	if
	:: !was ->
#if MUT != P_CLOSE_WAKES_NO_C
		wake(ctarget[0], ctok[0], cowed[0], true);
#if NC > 1
		wake(ctarget[1], ctok[1], cowed[1], true);
#endif
#endif
#if MUT != P_CLOSE_WAKES_NO_P
		wake(ptarget, ptok, powed, true)
#endif
	:: else
	fi;
	was = false
}

inline closeConsumer(c, e) {
#if MUT != C_ERROR_LATE
	setErr(rerr[c], e);
#endif
	d_step { was = CLOSED(r[c]); r[c] = r[c] | BIT };
	if
	:: !was ->
#if NC > 1
		d_step { hold[c] = hold[c] | CLOSING };
#endif
#if MUT == C_WAKES_BEFORE_OPEN
		wake(ptarget, ptok, powed, true);
		d_step { open-- };
#else
		d_step { open-- };
#if MUT != C_CLOSE_WAKES_NO_P
		wake(ptarget, ptok, powed, true);
#endif
#endif
#if MUT != C_CLOSE_WAKES_NO_C
		wake(ctarget[c], ctok[c], cowed[c], true)
#endif
	:: else
	fi;
	was = false;
#if MUT == C_ERROR_LATE
	setErr(rerr[c], e)
#endif
}

#if MUT == ONE_CLOSED_ENDS
#define GONE (open < NC)
#else
#define GONE (open == 0)
#endif

/* ---- the producer ---- */

/* room reloads the cached limit unless it has room for n already (I2). */
inline room(n) {
	if
	:: DIST(pos, lim) >= (n)
	:: else ->
		slowest();
		d_step {
			if
			:: at != NONE -> lim = POS(at + N + (MUT == P_LIMIT_TOO_FAR))
			:: else
			fi;
			at = NONE
		}
	fi
}

/* pReady sets ok if there is no reason to wait for n free bytes. The two flags say
 * which closes it looks at; mutants leave one out. */
inline pReady(n, own, others) {
	room(n);
	if
	:: d_step { DIST(pos, lim) >= (n) -> ok = true }
	:: else ->
		if
		:: d_step { own && CLOSED(w) -> ok = true }
		:: else -> d_step { ok = others && GONE }
		fi
	fi
}

inline pAwait() {
	d_step { n = MIN(left, Q); from = POS(pos + n - N + (MUT == P_TARGET_TOO_FAR)) };
	do
	:: ok -> break
	:: !ok ->
#if MUT != P_ARMS_LATE
		arm(ptarget, powed, from);
#endif
#if MUT == P_RECHECK_NOT_OWN_CLOSE
		pReady(1, false, true);
#elif MUT == P_RECHECK_NOT_OPEN
		pReady(1, true, false);
#elif MUT == P_RECHECK_WHOLE_TARGET
		pReady(n, true, true);
#elif MUT == P_STALE_LIMIT
		if
		:: d_step { CLOSED(w) -> ok = true }
		:: else -> d_step { ok = GONE }
		fi;
#elif MUT != P_NO_RECHECK
		pReady(1, true, true);
#endif
#if MUT == P_ARMS_LATE
		arm(ptarget, powed, from);
#endif
		if
		:: ok
		:: else ->
end_asleep:		d_step { ptok -> ptok = 0 };
			pReady(1, true, true)
		fi
	od;
#if MUT != P_STAYS_ARMED
	disarm(ptarget, powed);
#endif
	ok = false;
	d_step { assert(!ARMED(ptarget)); n = 0; from = 0 }
}

/* commit publishes n bytes (I5). It sets lost if the producer was closed. */
inline commit() {
#if MUT == P_TARGET_FIRST
	look(ctarget[0], true);
#endif
	d_step {
#if MUT == P_STORES
		pos = POS(pos + n); w = pos; put = put + n;
#elif MUT == P_COMMITS_ANYWAY
		pos = POS(pos + n); w = pos | (w & BIT); put = put + n;
#else
		if
		:: w == pos -> pos = POS(pos + n); w = pos; put = put + n
		:: else -> lost = true
		fi;
#endif
		assert(IN_RANGE(0));
#if NC > 1
		assert(IN_RANGE(1))
#endif
	}
}

inline committed() {
#if MUT == P_TARGET_FIRST
	d_step {
		if
		:: t != 0 && !REACHED(pos, POS(t)) -> t = 0
		:: else
		fi
	};
	hand(ctarget[0], ctok[0], cowed[0]);
#else
	wake(ctarget[0], ctok[0], cowed[0], REACHED(pos, POS(ctarget[0])));
#endif
#if NC > 1 && MUT != ONE_WOKEN
	wake(ctarget[1], ctok[1], cowed[1], REACHED(pos, POS(ctarget[1])));
#endif
}

inline fill() {
	do
	:: d_step { i < n -> mem[off] = POS(from + i); off = (off + 1) % N; i++ }
	:: else -> break
	od
}

active proctype Producer() {
	byte todo = K, left, n, i, from, t;
	byte pos = START, lim = POS(START + N), off;
	byte at = NONE, k;
	bool ok, lost, was;

	do
	:: todo == 0 -> break
	:: todo > 0 ->
		if /* a Write of all bytes, or of one */
		:: left = todo
#ifndef ONE_WRITE
		:: todo > 1 -> left = 1
#endif
		fi;
		todo = todo - left;
		do
		:: left == 0 -> break
		:: left > 0 ->
			if
			:: GONE -> goto broken
			:: else
			fi;
			n = MIN(left, N);
			room(n);
			d_step { n = MIN(n, DIST(pos, lim)); from = pos };
			if
			:: n == 0 ->
				if
				:: CLOSED(w) -> goto broken
				:: else
				fi;
				if
				:: GONE -> goto broken
				:: else
				fi;
				pAwait()
			:: else ->
#if MUT == P_PUBLISHES_FIRST
				commit(); fill();
#else
				fill(); commit();
#endif
				if
				:: lost -> goto broken
				:: else
				fi;
				committed();
				d_step { left = left - n; n = 0; i = 0; from = 0 }
			fi
		od
	od;
#ifdef P_CLOSES
	closeProducer(1);
#endif
	goto done;

broken:	/* The error that Write returns has been stored. */
	atomic {
		assert(CLOSED(w) || (GONE && rerr[0] != 0));
#if NC > 1
		assert(CLOSED(w) || rerr[1] != 0)
#endif
	}
done:	atomic {
		pdone = true;
		todo = 0; left = 0; n = 0; i = 0; from = 0; pos = 0; lim = 0; off = 0; lost = false
	}
}

/* ---- a consumer ---- */

#define id (_pid - 1) /* the producer is process 0 */

/* there reloads the cached limit and the end unless it has seen n bytes already. */
inline there(n) {
	if
	:: DIST(pos, lim) >= (n) || eof
	:: else ->
#if MUT == END_FROM_TWO_LOADS
		d_step { lim = POS(w) };
		d_step { eof = CLOSED(w) }
#else
		d_step { lim = POS(w); eof = CLOSED(w) }
#endif
	fi
}

inline cReady(n, end, own) {
	there(n);
	if
	:: d_step { DIST(pos, lim) >= (n) || (eof && end) -> ok = true }
	:: else -> d_step { ok = own && CLOSED(r[id]) }
	fi
}

#define HERE (pos + need[id] + (MUT == C_TARGET_TOO_FAR))

inline cAwait() {
	do
	:: ok -> break
	:: !ok ->
#if MUT != C_ARMS_LATE
		arm(ctarget[id], cowed[id], HERE);
#endif
#if MUT == C_RECHECK_NOT_END
		cReady(need[id], false, true);
#elif MUT == C_RECHECK_NOT_OWN_CLOSE
		cReady(need[id], true, false);
#elif MUT == C_STALE_LIMIT
		d_step { ok = CLOSED(r[id]) };
#elif MUT != C_NO_RECHECK
		cReady(need[id], true, true);
#endif
#if MUT == C_ARMS_LATE
		arm(ctarget[id], cowed[id], HERE);
#endif
		if
		:: ok
		:: else ->
			shareSpace();
end_asleep:		d_step { ctok[id] -> ctok[id] = 0 };
			cReady(need[id], true, true)
		fi
	od;
#if MUT != C_STAYS_ARMED
	disarm(ctarget[id], cowed[id])
#endif
}

/* discard gives n bytes back (I5). */
inline discard() {
#if MUT == C_TARGET_FIRST
	look(ptarget, true);
#endif
	d_step {
#if MUT == C_STORES
		pos = POS(pos + n); r[id] = pos; got[id] = got[id] + n;
#else
		if
		:: r[id] == pos -> pos = POS(pos + n); r[id] = pos; got[id] = got[id] + n
		:: else -> lost = true
		fi;
#endif
		assert(IN_RANGE(id))
	}
}

inline use() {
	do
	:: d_step { i < n -> assert(mem[off] == POS(from + i)); off = (off + 1) % N; i++ }
	:: else -> break
	od
}

/* If nothing closes, a consumer that asks for more than the rest sleeps for ever,
 * and that is correct. */
#if defined(P_CLOSES) || defined(THIRD_P)
#define MOST N
#else
#define MOST (got[id] + N <= K -> N : (got[id] < K -> K - got[id] : 1))
#endif

#if NC > 1
inline enter() {
	d_step {
		if
		:: hold[id] == 0 -> hold[id] = HELD; held = true
		:: else
		fi
	}
}

inline leave() {
	if
	:: held ->
		d_step {
			held = false;
			if
			:: hold[id] == HELD -> hold[id] = 0
			:: else -> was = true
			fi
		};
		if
		:: was ->
			d_step { hold[id] = CLOSING; was = false };
#if MUT != RELEASE_WAKES_NOBODY
			discarded()
#endif
		:: else
		fi
	:: else
	fi
}
#else /* no hold is needed, and no step */
#define enter() skip
#define leave() skip
#endif

active [NC] proctype Consumer() {
	byte pos = START, off, lim = START;
	byte want, n, i, from, t;
	byte at = NONE, k;
	bool ok, eof, lost, was, held, gone;

	do
	::
#ifdef C_CLOSES
		if
		:: closeConsumer(id, 3); lost = true; break
		:: true
		fi;
#endif
		/* Read waits for one byte, Peek and Wait for more. */
#if N == 1
		need[id] = 1;
#else
		if
		:: need[id] = 1
		:: need[id] = MOST
#if N > 2
		:: need[id] = MIN(2, MOST)
#endif
		fi;
#endif
		enter();
		cReady(need[id], true, true);
		if
		:: ok
		:: else -> cAwait()
		fi;
		ok = false;
		assert(!ARMED(ctarget[id]));

		/* It may take fewer than it has waited for. */
		if
		:: want = 1
#if N > 1
		:: want = N
#endif
		fi;
		there(want);
		d_step { n = MIN(want, DIST(pos, lim)); from = pos };
		if
		:: CLOSED(r[id]) -> lost = true; break
		:: else
		fi;
		if
		:: n == 0 ->
			if
			:: w == (pos | BIT) -> break
			:: else
			fi
		:: else ->
#if MUT == C_GIVES_BACK_FIRST
			discard(); use();
#else
			use(); discard();
#endif
			if
			:: lost -> break
			:: else
			fi;
#if MUT == C_TARGET_FIRST
			d_step {
				if
				:: t != 0 && !REACHED(pos, POS(t)) -> t = 0
				:: else
				fi
			};
			hand(ptarget, ptok, powed);
#else
			discarded();
#endif
			d_step { n = 0; i = 0; from = 0; want = 0 }
		fi;
		leave()
#ifdef C_LEAVES
		;
		if
		:: true
		:: got[id] > 0 -> gone = true; break
		fi
#endif
#ifdef ONE_READ
		;
		if
		:: id == 0 && got[0] > 0 -> CLOSED(r[0]); lost = true; break
		:: else
		fi
#endif
	od;
	leave();
	atomic { /* not d_step, which must not follow a break */
		if
		:: lost -> assert(rerr[id] != 0); cdone[id] = 2
		:: gone -> cdone[id] = 3
		:: else ->
			/* The end is final: everything counted has arrived, and
			 * the error has been stored. */
			assert(werr != 0 && put == got[id]);
			seen[id] = werr; cdone[id] = 1
		fi;
		pos = 0; lim = 0; off = 0; n = 0; i = 0; from = 0; want = 0; eof = false; lost = false
	}
}

#if defined(THIRD_P) || defined(THIRD_C)
active proctype Third() {
	byte t;
	bool was;
#if NC > 1
	put > 0; /* before that nothing can be held; this saves states */
#endif
#ifdef THIRD_P
	closeProducer(2);
#endif
#ifdef THIRD_C
	closeConsumer(0, 4)
#endif
}
#endif


/* ---- what must hold ---- */

#if defined(P_CLOSES) || defined(THIRD_P)
#define C_FINISHED(c) (cdone[c] != 0)
#else
/* Without an end, a consumer sleeps with nothing left to do. */
#define C_FINISHED(c) (cdone[c] != 0 || (got[c] == K && ARMED(ctarget[c])))
#endif
#define C_RIGHT(c) (cdone[c] != 1 || (got[c] == put && seen[c] == werr && CLOSED(w)))

#define FREE(c)    (RELEASED(c) || DIST(POS(r[c]), POS(w)) < N)
#define C_COULD(c) (CLOSED(w) || CLOSED(r[c]) || DIST(POS(r[c]), POS(w)) >= need[c])
#define C_VISIBLE(c) (!CLOSED(r[c]) || rerr[c] != 0)

#if NC == 1
#define ALL(X) X(0)
#else
#define ALL(X) (X(0) && X(1))
#endif
#define P_IDLE       (pdone || !(CLOSED(w) || GONE || ALL(FREE)))
#define C_IDLE(c)    (cdone[c] != 0 || !C_COULD(c))
#define C_GOT_ALL(c) (got[c] == K)
#define C_AT_END(c)  (cdone[c] == 1)

#ifdef REFEREE
/* When no process can move, all must have finished. Runs are finite, so this finds
 * every lost wake that nothing makes good. */
active proctype Referee() {
	timeout;
	d_step {
		assert(P_IDLE);
#ifndef C_LEAVES
		assert(pdone);
#endif
		assert(ALL(C_FINISHED));
		assert(ALL(C_RIGHT))
	}
}
#endif

/* Every byte arrives, unless a half is closed before. */
ltl arrives { <> ALL(C_GOT_ALL) }

/* The consumer sees the end of the stream if the producer is closed and it is not. */
ltl ends { <> ALL(C_AT_END) }

/* Write returns, whatever happens. */
ltl returns { <> pdone }

/* No process sleeps on with something to do. */
ltl awake { []<> P_IDLE && []<> ALL(C_IDLE) }

/* A closed bit is never seen without its error. */
ltl visible { [] ((!CLOSED(w) || werr != 0) && ALL(C_VISIBLE)) }

/* Closed stays closed. */
ltl final { [] ((CLOSED(w) -> [] CLOSED(w)) && (CLOSED(r[0]) -> [] CLOSED(r[0]))) }
