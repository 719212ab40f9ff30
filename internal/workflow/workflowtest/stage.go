package workflowtest

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/workflow"
)

const (
	groupAdmin pim.GroupID = "11111111-0000-4000-8000-000000000001"
	groupLive  pim.GroupID = "11111111-0000-4000-8000-000000000002"

	roleAdmin = "mde-admin"

	// within bounds each wait for something to appear, in machine time.
	within = 15 * time.Second
)

// Open opens a chat for one case.
type Open func(t *testing.T, log *slog.Logger) Chat

// stage is a chat and a workflow behind it.
type stage struct {
	t    *testing.T
	ctx  context.Context //nolint:containedctx // the test's own, for every act
	chat Chat
	dir  *Directory
	bot  *Bot
	log  *Log

	mu   sync.Mutex
	errs []error // that a messenger gave
}

// newStage opens a chat with a workflow, in which everybody is signed in.
// approvers are named beside Bob and Carol.
func newStage(t *testing.T, open Open, approvers ...pim.Profile) *stage {
	t.Helper()
	s := &stage{t: t, ctx: t.Context(), log: &Log{}}
	logger := slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s.chat = open(t, logger)
	people := slices.Clone(approvers)
	ids := []pim.PrincipalID{s.chat.Person(Bob).ID, s.chat.Person(Carol).ID}
	for _, p := range approvers {
		ids = append(ids, p.ID)
	}
	for _, name := range []string{Alice, Bob, Carol} {
		people = append(people, s.chat.Person(name).Profile)
	}
	group := Group{Eligible: []pim.PrincipalID{s.chat.Person(Alice).ID}, Approvers: ids, Max: 8 * time.Hour}
	s.dir = NewDirectory(s.chat.Now, people, map[pim.GroupID]Group{groupAdmin: group, groupLive: group})
	s.bot = NewBot(t, t.TempDir(), workflow.Config{
		Directory: s.dir, Messengers: map[pim.Chat]workflow.Messenger{s.kind(): noting{s.chat.Messenger(), s}}, Roles: s.roles(), Tenant: s.chat.Tenant(),
		Now: s.chat.Now, Tick: 5 * time.Millisecond,
	})
	s.bot.Config.Logger = logger
	s.bot.Open()
	for _, name := range []string{Alice, Bob, Carol} {
		s.signIn(s.chat.Person(name))
	}
	s.bot.Run()
	// Until the owners were read, anybody may be one, whose sessions are not kept.
	s.until("the first sweep is through", func() bool { return !s.bot.Service.Swept().IsZero() })
	s.chat.Serve(s.bot.Service)
	return s
}

func (s *stage) kind() pim.Chat { return s.chat.Place(Approvals).Chat }

func (s *stage) roles() pim.Roles {
	role := func(name, title string, group pim.GroupID) pim.Role {
		return pim.Role{
			Name: name, Title: title, Gives: title, Group: group, Default: time.Hour, Max: 8 * time.Hour, NeedsReason: true, NeedsApproval: true,
			Ask: []pim.Conversation{s.chat.Place(Approvals)}, Notify: []pim.Conversation{s.chat.Place(OnCall)},
		}
	}
	return pim.Roles{role(roleAdmin, "MDE Administrator", groupAdmin), role("mde-live", "MDE Live Response", groupLive)}
}

func (s *stage) signIn(p Person) {
	if p.Account.Chat == pim.Slack {
		s.bot.Knows(p.Account, p.Profile)
	}
	s.bot.Session(p.Account, p.Profile, s.chat.Now(), 8*time.Hour)
}

// close ends the case and checks what must hold at every end.
func (s *stage) close() {
	s.t.Helper()
	for _, found := range s.chat.Findings() {
		s.t.Errorf("no client would show it: %s", found)
	}
	s.checkSecrets()
	s.bot.Stop()
	s.chat.Close()
	s.bot.Close()
	if s.t.Failed() {
		s.t.Log(s.log.String())
	}
}

// checkSecrets looks for secrets wherever somebody could read them.
func (s *stage) checkSecrets() {
	s.t.Helper()
	said := map[string]string{"the log": s.log.String(), "the audit lines": s.bot.Sink.String()}
	for _, name := range []string{Alice, Bob, Carol} {
		for _, one := range s.sees(name) {
			said["what "+name+" sees"] += one.Text
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, err := range s.errs {
		said["an error"] += err.Error() + "\n" + pim.Explain(err).Message + "\n"
	}
	for where, text := range said {
		for _, secret := range s.chat.Secrets() {
			if secret != "" && strings.Contains(text, secret) {
				s.t.Errorf("%s holds the secret %s:\n%s", where, secret, text)
			}
		}
	}
}

// noting is a messenger whose errors are kept.
type noting struct {
	workflow.Messenger
	s *stage
}

func (s *stage) note(err error) error {
	if err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.errs = append(s.errs, err)
	}
	return err
}

// until waits for something to become true.
func (s *stage) until(what string, isSo func() bool) {
	s.t.Helper()
	end := time.NewTimer(within)
	defer end.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !isSo() {
		select {
		case <-tick.C:
		case <-end.C:
			s.t.Fatalf("it does not happen: %s\n%s", what, s.everything())
		}
	}
}

// everything is what people see, for a test that failed.
func (s *stage) everything() string {
	var b strings.Builder
	for _, name := range []string{Alice, Bob, Carol} {
		for _, one := range s.sees(name) {
			b.WriteString("— " + name + " in " + one.Place + "\n" + one.Text + "\n")
		}
	}
	return b.String() + s.log.String()
}

// must fails the test.
func (s *stage) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) sees(person string) []Shown {
	s.t.Helper()
	shown, err := s.chat.Sees(s.ctx, person)
	s.must(err)
	return shown
}

// find is the newest thing that a person sees in a place with these words.
func (s *stage) find(person, place string, words ...string) (Shown, bool) {
	s.t.Helper()
	for _, one := range slices.Backward(s.sees(person)) {
		if one.Place == place && containsAll(one.Text, words) {
			return one, true
		}
	}
	return Shown{}, false
}

func containsAll(text string, words []string) bool {
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
}

// shows waits until a person sees the words in a place.
func (s *stage) shows(person, place string, words ...string) (found Shown) {
	s.t.Helper()
	s.until(person+" sees "+strings.Join(words, ", ")+" in "+place, func() bool {
		var there bool
		found, there = s.find(person, place, words...)
		return there
	})
	return found
}

// presses presses a button. Who does not find it looks again.
func (s *stage) presses(person string, p Press) {
	s.t.Helper()
	s.until(person+" presses "+p.Button, func() bool {
		err := s.chat.Press(s.ctx, person, p)
		if err != nil {
			s.sees(person)
		}
		return err == nil
	})
}

// answered waits until a person's last input was answered with these words.
func (s *stage) answered(person string, words ...string) string {
	s.t.Helper()
	s.until(person+" is answered "+strings.Join(words, ", "), func() bool { return containsAll(s.chat.Answer(person), words) })
	return s.chat.Answer(person)
}

// asks has Alice ask for a role, up to the approvers, who see the card.
func (s *stage) asks(reason string) pim.RequestID {
	s.t.Helper()
	s.must(s.chat.Say(s.ctx, Alice, roleAdmin+" "+reason))
	var r pim.Request
	s.until("the request is pending", func() bool {
		r = s.bot.Newest(s.chat.Person(Alice).Account)
		return r.State == pim.Pending
	})
	for _, name := range []string{Bob, Carol} {
		s.shows(name, Approvals, string(r.ID), "approval needed")
	}
	return r.ID
}

// turns waits until a request is in a state.
func (s *stage) turns(id pim.RequestID, to pim.State) {
	s.t.Helper()
	s.until("the request is "+string(to), func() bool { return s.bot.Request(id).State == to })
}

// holds has PIM take the next step of a kind only when it is told to.
func (s *stage) holds(op Op) (goOn func()) {
	held := make(chan struct{})
	s.dir.Fail(op, Fault{First: func() { <-held }})
	return sync.OnceFunc(func() { close(held) })
}

// decisions checks how many PIM took, and how many people claimed.
func (s *stage) decisions(id pim.RequestID, want int) {
	s.t.Helper()
	claims, _ := s.bot.Event(id, pim.EventClaimed)
	if got := s.dir.Decisions(); got != want || claims != want {
		s.t.Errorf("PIM took %d decisions after %d claims, want %d", got, claims, want)
	}
}

// Post posts, and keeps the error.
func (n noting) Post(ctx context.Context, to pim.Conversation, c card.Card) (pim.MessageRef, error) {
	ref, err := n.Messenger.Post(ctx, to, c)
	return ref, n.s.note(err)
}

// Update rewrites, and keeps the error.
func (n noting) Update(ctx context.Context, ref pim.MessageRef, c card.Card) error {
	return n.s.note(n.Messenger.Update(ctx, ref, c))
}
