package workflow

import (
	"crypto/rand"
	"math/big"
	"time"

	"elevate/internal/pim"
)

// pace says how an effect that failed is tried again.
type pace struct {
	first, most time.Duration // back-off
	age         time.Duration // after this it is parked; zero: never
	furthest    time.Duration // a due time further ahead than this is a mistake
}

// saidWithin is the longest pause before a chat that could not be reached is tried
// again: once it is back, what it missed stands there within a sweep.
const saidWithin = 45 * time.Second

var paces = map[string]pace{
	kindSubmit:   {first: time.Second, most: 30 * time.Second, furthest: time.Hour},
	kindDecide:   {first: time.Second, most: 15 * time.Second, furthest: time.Hour},
	kindCancel:   {first: time.Second, most: time.Minute, furthest: time.Hour},
	kindRelease:  {first: time.Second, most: time.Minute, furthest: time.Hour},
	kindRevoke:   {first: time.Second, most: time.Minute, furthest: time.Hour},
	kindWatch:    {first: time.Second, most: 30 * time.Second, furthest: time.Hour},
	kindConfirm:  {first: time.Second, most: time.Minute, furthest: 400 * 24 * time.Hour},
	kindCard:     {first: time.Second, most: saidWithin, age: 24 * time.Hour, furthest: time.Hour},
	kindAlarm:    {first: time.Second, most: saidWithin, age: 24 * time.Hour, furthest: time.Hour},
	kindTell:     {first: time.Second, most: saidWithin, age: 6 * time.Hour, furthest: time.Hour},
	kindWhisper:  {first: time.Second, most: 30 * time.Second, furthest: time.Hour}, // which looks at its age itself
	kindLapse:    {first: time.Second, most: time.Minute, furthest: time.Hour},
	kindEligible: {first: 2 * time.Second, most: time.Minute, age: 5 * time.Minute, furthest: time.Hour},
	kindLinks:    {first: time.Minute, most: time.Hour, furthest: time.Hour},
	kindRemind:   {first: time.Second, most: time.Minute, furthest: 25 * time.Hour},
	kindEnding:   {first: time.Second, most: time.Minute, furthest: 400 * 24 * time.Hour},
	kindHomes:    {first: 2 * time.Second, most: saidWithin, furthest: time.Hour},
	kindReview:   {first: time.Second, most: 15 * time.Second, furthest: time.Hour},
	kindOverdue:  {first: time.Second, most: time.Minute, furthest: 25 * time.Hour},
	kindBoard:    {first: 2 * time.Second, most: saidWithin, furthest: time.Hour},
	kindEvidence: {first: 5 * time.Second, most: 5 * time.Minute, furthest: time.Hour},
	kindSweep:    {first: 5 * time.Second, most: time.Minute, furthest: time.Hour},
}

// refusedPace is for what a chat refuses: an administrator may mend it, or the
// person may let the bot write again, which has it tried at once.
var refusedPace = pace{first: time.Minute, most: time.Hour}

// paceOf is how an effect that failed so is tried again.
func paceOf(kind string, err error) pace {
	p := paces[kind]
	if refusedByChat(kind, err) {
		p.first, p.most = refusedPace.first, refusedPace.most
	}
	return p
}

// refusedByChat reports whether a chat does not take what an effect brings it. All
// else that fails passes by itself.
func refusedByChat(kind string, err error) bool {
	if kind != kindCard && kind != kindTell && kind != kindAlarm && kind != kindHomes && kind != kindBoard {
		return false
	}
	said := pim.Explain(err).Kind
	return said == pim.Forbidden || said == pim.NotFound || said == pim.Administered
}

// backoff doubles from first to most, with up to a quarter of jitter.
func backoff(p pace, tries int) time.Duration {
	d := p.first << min(tries-1, 12)
	if d > p.most || d <= 0 {
		d = p.most
	}
	return d + jitter(d/4)
}

// jitter draws a time up to most, so that what failed together does not come
// again together.
func jitter(most time.Duration) time.Duration {
	n, err := rand.Int(rand.Reader, big.NewInt(int64(most)+1))
	if err != nil {
		return most // unreachable: the reader never fails
	}
	return time.Duration(n.Int64())
}

// Steps that wait for a sign-in cost a write each, and who is not linked could
// begin them without end: twenty at once, then one every half minute. A message
// that only a client names as a request's card counts as one.
const (
	stepsAtOnce = 20
	stepEvery   = 30 * time.Second
	stepPeople  = 10_000 // whose pace is remembered
)

// takeStep counts such a step, or says that there were too many.
func (s *Service) takeStep(a pim.ChatAccount, now time.Time) error {
	if !s.steps.Allow(a.String(), now) {
		return pim.Errorf(pim.Throttled, "You began many steps that wait for your sign-in. Use the newest sign-in link, or wait some minutes; this step was not taken.")
	}
	return nil
}

// takeTrying counts a step that PIM or Entra is asked about, and the trail keeps, whoever says it: somebody who may not take
// it could fill both. It has the allowance of lists, which leaves whoever ends many accesses at once thirty.
func (s *Service) takeTrying(from Sender) error {
	if s.readings.Allow(from.Account.String(), s.cfg.Now()) {
		return nil
	}
	return pim.Errorf(pim.Throttled, "You said much within a short time, so nothing was done about this. Wait some seconds and say it again.")
}
