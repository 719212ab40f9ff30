package workflow_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
	"elevate/internal/workflow"
	"elevate/internal/workflow/workflowtest"
)

// The cast.
const (
	alice   pim.PrincipalID = "00000000-0000-4000-8000-00000000000a" // asks
	admin   pim.PrincipalID = "00000000-0000-4000-8000-0000000000aa" // Alice's second account
	bob     pim.PrincipalID = "00000000-0000-4000-8000-00000000000b" // approves
	carol   pim.PrincipalID = "00000000-0000-4000-8000-00000000000c" // approves
	dave    pim.PrincipalID = "00000000-0000-4000-8000-00000000000d" // is eligible too
	erin    pim.PrincipalID = "00000000-0000-4000-8000-00000000000e" // owns the group of mde-admin
	mde     pim.GroupID     = "11111111-0000-4000-8000-000000000001"
	analyst pim.GroupID     = "11111111-0000-4000-8000-000000000002"
	live    pim.GroupID     = "11111111-0000-4000-8000-000000000003"
	hunt    pim.GroupID     = "11111111-0000-4000-8000-000000000004"
	tenant  pim.TenantID    = "22222222-0000-4000-8000-000000000000"
)

var (
	approvals = place("C0APPROVALS")
	oncall    = place("C0ONCALL")
	general   = place("C0GENERAL")
)

var names = map[pim.PrincipalID]string{alice: "Alice", admin: "Alice (admin)", bob: "Bob", carol: "Carol", dave: "Dave", erin: "Erin"}

func place(id string) pim.Conversation {
	return pim.Conversation{Chat: pim.Slack, Workspace: "T0", ID: id}
}

// account is a person's account in Slack.
func account(p pim.PrincipalID) pim.ChatAccount {
	return pim.ChatAccount{Chat: pim.Slack, Workspace: "T0", User: "U-" + names[p]}
}

func direct(p pim.PrincipalID) pim.Conversation { return pim.DirectTo(account(p)) }

func roles() pim.Roles {
	role := func(name, title string, group pim.GroupID, approval bool) pim.Role {
		return pim.Role{
			Name: name, Title: title, Gives: title, Group: group, Default: time.Hour, Max: 8 * time.Hour, NeedsReason: true,
			NeedsApproval: approval, Ticket: pim.MustTicketPattern(`^INC-\d+$`), Ask: []pim.Conversation{approvals}, Notify: []pim.Conversation{oncall},
		}
	}
	return pim.Roles{
		role("mde-admin", "MDE Administrator", mde, true), role("mde-analyst", "MDE Analyst", analyst, false),
		role("mde-live", "MDE Live Response", live, true), role("mde-hunt", "MDE Hunting", hunt, true),
	}
}

// world is a bot between a tenant and a chat in memory. Everything lives in a
// synctest bubble, whose clock it tells.
type world struct {
	*workflowtest.Bot
	t     testing.TB
	dir   *workflowtest.Directory
	chat  *workflowtest.Messenger
	teams *workflowtest.Messenger
	db    *store.DB
	bot   *workflow.Service
	cfg   *workflow.Config
	path  string
	log   *workflowtest.Log
	sink  *workflowtest.Log
	skew  time.Duration // added to the clock
	end   func()        // stops the service
	// revive starts the next process where the power was cut.
	revive func()
	once   int
	mu     sync.Mutex
}

// inWorld runs a test in a bubble with a world of its own that is running.
func inWorld(t *testing.T, settings func(*world), test func(*world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, t.TempDir())
		if settings != nil {
			settings(w)
		}
		w.start()
		w.settle() // the first sweep: what people find at a start is said where a test is about it
		defer w.close()
		test(w)
	})
}

func newWorld(tb testing.TB, folder string) *world {
	tb.Helper()
	w := &world{t: tb}
	var people []pim.Profile
	for id := range names {
		people = append(people, profile(id))
	}
	both := []pim.PrincipalID{bob, carol}
	w.dir = workflowtest.NewDirectory(w.now, people, map[pim.GroupID]workflowtest.Group{
		mde:     {Eligible: []pim.PrincipalID{alice, dave, bob}, Approvers: both, Owners: []pim.PrincipalID{erin}, Max: 8 * time.Hour},
		analyst: {Eligible: []pim.PrincipalID{alice, dave}, Max: 8 * time.Hour},
		live:    {Eligible: []pim.PrincipalID{alice, dave}, Approvers: both, ApproverGroup: "group-of-approvers", Max: 8 * time.Hour},
		hunt:    {Eligible: []pim.PrincipalID{alice}, Approvers: both, Max: 8 * time.Hour},
	})
	w.chat, w.teams = workflowtest.NewMessenger(w.now), workflowtest.NewMessenger(w.now)
	w.Bot = workflowtest.NewBot(tb, folder, workflow.Config{
		Directory: w.dir, Messengers: map[pim.Chat]workflow.Messenger{pim.Slack: w.chat, pim.Teams: w.teams}, Roles: roles(), Tenant: tenant,
		Now: w.now, Tick: time.Second,
	})
	w.cfg, w.path, w.log, w.sink, w.end = &w.Config, w.Path, &w.Log, &w.Sink, w.Stop
	return w
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.skew)
}

// start opens the state file and runs the service.
func (w *world) start() {
	w.t.Helper()
	w.open()
	w.run()
}

func (w *world) open() {
	w.t.Helper()
	w.Open()
	w.db, w.bot = w.DB, w.Service
}

func (w *world) run() { w.Run() }

func (w *world) close() { w.Close() }

// restart stops the service between two effects and starts it again.
func (w *world) restart() {
	w.Stop()
	if err := w.db.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.start()
}

// settle lets everything happen that takes no time.
func (w *world) settle() { synctest.Wait() }

// pass lets time go by.
func (w *world) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (w *world) update(fn func(*store.Tx) error) {
	w.t.Helper()
	w.Update(fn)
}

func (w *world) view(fn func(*store.Tx) error) {
	w.t.Helper()
	w.View(fn)
}

// knows links people's chat accounts to them.
func (w *world) knows(people ...pim.PrincipalID) {
	w.t.Helper()
	for _, p := range people {
		w.Knows(account(p), profile(p))
	}
}

func profile(p pim.PrincipalID) pim.Profile { return pim.Profile{ID: p, Name: names[p], Enabled: true} }

// signIn gives people a session from now on; they are linked.
func (w *world) signIn(people ...pim.PrincipalID) {
	w.t.Helper()
	w.knows(people...)
	for _, p := range people {
		w.session(account(p), p, w.now(), 8*time.Hour)
	}
}

func (w *world) session(a pim.ChatAccount, p pim.PrincipalID, auth time.Time, life time.Duration, contexts ...string) {
	w.t.Helper()
	w.Session(a, profile(p), auth, life, contexts...)
}

func (w *world) signOut(p pim.PrincipalID) {
	w.t.Helper()
	w.update(func(tx *store.Tx) error { return tx.DeleteSession(account(p)) })
}

func (w *world) hasSession(p pim.PrincipalID) (found bool) {
	w.t.Helper()
	w.view(func(tx *store.Tx) error {
		var err error
		_, found, err = tx.Session(account(p))
		return err
	})
	return found
}

// sender is a person's input; each is a new one.
func (w *world) sender(p pim.PrincipalID) workflow.Sender {
	w.once++
	return workflow.Sender{
		Account: account(p), Name: names[p], Place: general, Once: fmt.Sprintf("once-%d", w.once), Zone: time.UTC,
	}
}

// says has a person type a command, and lets what takes no time happen.
func (w *world) says(p pim.PrincipalID, text string) string {
	w.t.Helper()
	return w.saysFrom(w.sender(p), text)
}

func (w *world) saysFrom(from workflow.Sender, text string) string {
	w.t.Helper()
	said := w.read(w.bot.Command(context.Background(), from, text))
	w.settle()
	return said
}

// read is what an answer says to the person.
func (w *world) read(r workflow.Reply) string {
	said := ""
	if r.Card != nil {
		said += workflowtest.Text(*r.Card)
		for _, b := range r.Card.Buttons {
			said += "[" + b.Label + "]"
		}
	}
	if r.Form != nil {
		said += "form " + r.Form.Name
	}
	for field, sentence := range r.Errors {
		said += field + ": " + sentence
	}
	if r.Later != nil {
		later := r.Later(context.Background())
		said += w.read(workflow.Reply{Card: &later})
	}
	return said
}

// expect fails the test unless the words stand in what was said.
func (w *world) expect(said string, words ...string) {
	w.t.Helper()
	for _, word := range words {
		if !strings.Contains(said, word) {
			w.t.Errorf("%q is not in\n%s", word, said)
		}
	}
}

// clicks has a person press the button of a request's card in the channel of
// the approvers, as it stands there.
func (w *world) clicks(p pim.PrincipalID, act card.Act, id pim.RequestID) string {
	w.t.Helper()
	return w.clicksOn(p, act, id, w.cardOf(id, approvals))
}

func (w *world) clicksOn(p pim.PrincipalID, act card.Act, id pim.RequestID, on workflowtest.Message) string {
	w.t.Helper()
	for _, b := range on.Card().Buttons {
		if b.Act == act {
			r := w.bot.Click(context.Background(), w.sender(p), workflow.Click{Act: act, Request: id, Digest: b.Digest, Ref: on.Ref})
			w.settle()
			return w.read(r)
		}
	}
	w.t.Fatalf("there is no button %s on %s", act, workflowtest.Text(on.Card()))
	return ""
}

// cardOf is the newest message about a request in a place.
func (w *world) cardOf(id pim.RequestID, at pim.Conversation) workflowtest.Message {
	w.t.Helper()
	var found workflowtest.Message
	for _, m := range w.chat.In(at) {
		if m.Card().Request == id && m.Card().Title != "" {
			found = m
		}
	}
	if found.Cards == nil {
		w.t.Fatalf("no card of %s stands in %s", id, at)
	}
	return found
}

// cardsIn are the cards of requests in a place: not what is kept beside them or said below.
func (w *world) cardsIn(at pim.Conversation) []workflowtest.Message {
	w.t.Helper()
	return slices.DeleteFunc(w.chat.In(at), func(m workflowtest.Message) bool {
		return m.Card().Request == "" || m.Ref.Conversation.Thread != "" || isStep(m)
	})
}

// isStep reports a message of a step's own in a direct conversation.
func isStep(m workflowtest.Message) bool {
	c := m.Card()
	return m.Ref.Conversation.User != "" && c.Title == "" && len(c.Buttons) == 0
}

// told is what a person was told in direct messages that are no cards of a
// request's state.
func (w *world) told(p pim.PrincipalID) string {
	said := ""
	for _, m := range w.chat.In(direct(p)) {
		said += workflowtest.Text(m.Card())
	}
	return said
}

// newest is a person's newest request.
func (w *world) newest(p pim.PrincipalID) pim.Request {
	w.t.Helper()
	r := w.Newest(account(p))
	if r.ID == "" {
		w.t.Fatalf("%s has no request", names[p])
	}
	return r
}

func (w *world) request(id pim.RequestID) pim.Request {
	w.t.Helper()
	return w.Request(id)
}

// digest is of the facts that a request's cards show.
func (w *world) digest(id pim.RequestID) string {
	w.t.Helper()
	r := w.request(id)
	return r.Digest()
}

// is fails the test unless the request is in that state.
func (w *world) is(id pim.RequestID, state pim.State) pim.Request {
	w.t.Helper()
	r := w.request(id)
	if r.State != state {
		w.t.Fatalf("request %s is %s, not %s (%s)", id, r.State, state, r.Why)
	}
	return r
}

// asks has a person who is signed in ask for mde-admin, and returns it pending.
func (w *world) asks(p pim.PrincipalID) pim.RequestID {
	w.t.Helper()
	said := w.says(p, "mde-admin isolating WS-042")
	w.pass(2 * time.Second)
	id := w.newest(p).ID
	if r := w.request(id); r.State != pim.Pending {
		w.t.Fatalf("the request is %s (%s); the answer was\n%s", r.State, r.Why, said)
	}
	return id
}

// becomesActive has Alice ask, Bob approve, and PIM grant.
func (w *world) becomesActive() pim.RequestID {
	w.t.Helper()
	id := w.asks(alice)
	w.clicks(bob, card.Approve, id)
	w.pass(5 * time.Second)
	w.is(id, pim.Active)
	return id
}

func (w *world) events(id pim.RequestID) []pim.Event {
	w.t.Helper()
	return w.Events(id)
}

// event returns how many events of a kind a request has, and the last.
func (w *world) event(id pim.RequestID, kind pim.EventKind) (int, pim.Event) {
	w.t.Helper()
	return w.Event(id, kind)
}

func (w *world) intents(p pim.PrincipalID) (intents []store.Intent) {
	w.t.Helper()
	w.view(func(tx *store.Tx) error {
		var err error
		intents, err = tx.IntentsOf(account(p))
		return err
	})
	return intents
}

// resumes signs a person in for the newest link that was given to them and
// goes on with what was interrupted.
func (w *world) resumes(p pim.PrincipalID, contexts ...string) (string, error) {
	w.t.Helper()
	w.knows(p)
	w.session(account(p), p, w.now(), 8*time.Hour, contexts...)
	text, err := w.bot.Resume(context.Background(), account(p), w.newestLink(p).Intent)
	w.settle()
	return text, err
}

func (w *world) newestLink(p pim.PrincipalID) workflow.SignInLink {
	w.t.Helper()
	l, given := w.Link(account(p))
	if !given {
		w.t.Fatalf("%s was given no link", names[p])
	}
	return l
}

func (w *world) allRequests() []pim.Request {
	w.t.Helper()
	return w.Requests()
}
