package entra

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"elevate/internal/pim"
)

// rounds carries readings out, twenty at a time, with the pages that follow and the tries that a busy Graph needs.
type rounds struct {
	client   *Client
	queue    []*reading
	at       time.Time // Graph's clock at the first answer: what was read is at least as fresh
	answered bool
	failed   []error
	// sideBySide is how many batches are sent at once; 0 means one.
	sideBySide int
	// insists is how often batches that are refused as a whole are sent again, and waits is told of it. A bot asks again
	// later; a person waits for the answer.
	insists int
	waits   func(time.Duration)
}

// run returns an error only when nothing was answered at all; what failed alone is in failed. A batch that is refused as
// a whole ends the run: Graph is busy, down or closed to us, and asking on would not help.
func (r *rounds) run(ctx context.Context) error {
	for len(r.queue) > 0 {
		pause := time.Duration(0)
		for _, b := range r.sendSome(ctx) {
			if wait, again := r.again(b); again {
				pause = max(pause, wait)
				continue
			}
			if b.err != nil && !r.answered {
				return b.err
			}
			if b.err != nil {
				r.failed = append(r.failed, fmt.Errorf("reading %s and what follows: %w", b.readings[0].name, b.err))
				return nil //nolint:nilerr // it is in failed
			}
			if !r.answered {
				r.answered, r.at = true, b.at
			}
			if err := r.settle(ctx, b.readings, b.answers); err != nil {
				return err
			}
		}
		if pause == 0 {
			continue
		}
		r.insists--
		if r.waits != nil {
			r.waits(pause)
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
	return nil
}

// again puts the readings of a batch back that was refused as a whole, and says after which time they are asked once more.
func (r *rounds) again(b *batch) (time.Duration, bool) {
	said := pim.Explain(b.err)
	if b.err == nil || r.insists <= 0 || said.Kind != pim.Throttled && said.Kind != pim.Unavailable || said.RetryAfter > longestWait {
		return 0, false
	}
	r.queue = append(r.queue, b.readings...)
	return max(said.RetryAfter, time.Second), true
}

// batch is one round trip.
type batch struct {
	readings []*reading
	answers  map[int]itemAnswer
	at       time.Time
	err      error
}

// sendSome sends as many batches side by side as there may be.
func (r *rounds) sendSome(ctx context.Context) []*batch {
	var sent []*batch
	var done sync.WaitGroup
	for len(r.queue) > 0 && len(sent) < max(r.sideBySide, 1) {
		n := min(batchSize, len(r.queue))
		b := &batch{readings: r.queue[:n]}
		r.queue = r.queue[n:]
		sent = append(sent, b)
		done.Go(func() { b.answers, b.at, b.err = r.client.send(ctx, b.readings) })
	}
	done.Wait()
	return sent
}

// settle hands every answer to its reading, and waits where Graph asked for it.
func (r *rounds) settle(ctx context.Context, batch []*reading, answers map[int]itemAnswer) error {
	var pause time.Duration
	for i, one := range batch {
		answer, ok := answers[i]
		if !ok {
			r.fail(one, pim.Errorf(pim.Unavailable, "Microsoft Graph left a question without an answer. Try again in a minute."))
			continue
		}
		r.client.metrics(one.name, answer.status)
		switch {
		case answer.status >= 200 && answer.status < 300:
			r.take(one, answer.body)
		default:
			pause = max(pause, r.refused(one, readFault(answer.status, answer.header, answer.body)))
		}
	}
	return sleep(ctx, pause)
}

// take reads one page, and asks for the next.
func (r *rounds) take(one *reading, body []byte) {
	next, err := one.take(body)
	if err == nil && next != "" {
		err = r.follow(one, next)
		if err == nil {
			return
		}
	}
	if err != nil {
		r.fail(one, err)
		return
	}
	if one.done != nil {
		r.queue = append(r.queue, one.done()...)
	}
}

func (r *rounds) follow(one *reading, next string) error {
	path, err := r.client.pagePath(next)
	if err != nil {
		return err
	}
	if one.pages++; one.pages >= maxPages {
		return errEndless
	}
	one.method, one.path, one.body, one.tries = http.MethodGet, path, nil, 0
	r.queue = append(r.queue, one)
	return nil
}

// refused judges one refusal: absence, another try after a pause, or a failure.
func (r *rounds) refused(one *reading, f fault) time.Duration {
	known := f.status == http.StatusNotFound || (one.young && f.status == http.StatusBadRequest)
	if known && one.absent != nil && one.absent(f) {
		return 0
	}
	one.tries++
	busy := f.status == http.StatusTooManyRequests || f.status >= 500 || f.status == http.StatusFailedDependency
	if busy && one.tries < maxTries && f.retryAfter <= longestPause {
		r.queue = append(r.queue, one)
		return max(f.retryAfter, time.Second)
	}
	r.fail(one, judge(opBatch, f))
	return 0
}

func (r *rounds) fail(one *reading, err error) {
	r.failed = append(r.failed, fmt.Errorf("reading %s: %w", one.name, err))
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
