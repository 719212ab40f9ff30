package signin_test

import (
	"bytes"
	"context"
	"fmt"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"elevate/internal/keyset"
	"elevate/internal/pim"
	"elevate/internal/secret"
	"elevate/internal/signin"
	"elevate/internal/store"
)

const (
	public       = "https://elevate.example"
	team         = "T0CONTOSO1"
	clientSecret = "client-secret-of-the-test"
)

var (
	aliceSlack = pim.ChatAccount{Chat: pim.Slack, Workspace: team, User: "U0ALICE"}
	bobSlack   = pim.ChatAccount{Chat: pim.Slack, Workspace: team, User: "U0BOB"}
)

// bench is a service between a state file and two issuers, with everything it was told to do.
type bench struct {
	t   testing.TB
	idp *idp
	db  *store.DB
	svc *signin.Service
	cfg signin.Config
	log bytes.Buffer

	mu      sync.Mutex
	time    time.Time
	told    []string
	resumed []string
	dead    error
}

func newBench(tb testing.TB, change func(*signin.Config)) *bench {
	tb.Helper()
	b := &bench{t: tb, time: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)}
	b.idp = newIDP(tb, b.now)
	keys, err := keyset.New(b.now())
	if err != nil {
		tb.Fatal(err)
	}
	b.db, err = store.Open(store.Config{Path: filepath.Join(tb.TempDir(), "state.db"), Keys: keys, Now: b.now})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := b.db.Close(); err != nil {
			tb.Error(err)
		}
	})
	b.cfg = signin.Config{
		PublicURL: public, TenantID: tenant, ClientID: entraClient, Authority: b.idp.URL, ClientSecret: secret.New(clientSecret),
		Slack:  &signin.SlackOIDC{Issuer: b.idp.slack(), ClientID: slackClient, Secret: secret.New(clientSecret), TeamID: team},
		Scopes: []string{scope}, Store: b.db, Keys: keys, Session: 8 * time.Hour, DecideWithin: time.Hour, Accounts: signin.AccountsSame,
		Transport: b.idp.Client().Transport, Now: b.now, Logger: slog.New(slog.NewTextHandler(&b.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Describe: func(_ *store.Tx, intent string) (string, error) {
			if intent == "" {
				return "", nil
			}
			return "approve Alice's request for MDE Administrator, 1 h", nil
		},
		Resume: func(_ context.Context, account pim.ChatAccount, intent string) (string, error) {
			b.resumed = append(b.resumed, account.User+" "+intent)
			return "Approved. You can close this page; the card in Slack shows the rest.", nil
		},
		Unlinked:     func(*store.Tx, pim.ChatAccount) error { return nil },
		AccountAlive: func(context.Context, pim.ChatAccount) error { return b.dead },
		Told: func(_ *store.Tx, account pim.ChatAccount, text string) error {
			b.told = append(b.told, account.User+": "+text)
			return nil
		},
	}
	if change != nil {
		change(&b.cfg)
	}
	b.restart()
	return b
}

// restart makes a new service on the same state.
func (b *bench) restart() {
	b.t.Helper()
	var err error
	if b.svc, err = signin.New(b.cfg); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.time
}

func (b *bench) advance(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.time = b.time.Add(d)
}

func (b *bench) update(fn func(*store.Tx) error) {
	b.t.Helper()
	if err := b.db.Update(b.t.Context(), fn); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) view(fn func(*store.Tx) error) {
	b.t.Helper()
	if err := b.db.View(fn); err != nil {
		b.t.Fatal(err)
	}
}

// newLink asks for a link as the chat would, for what was interrupted.
func (b *bench) newLink(account pim.ChatAccount, intent string) string {
	return b.newLinkFor(account, intent, "")
}

func (b *bench) newLinkFor(account pim.ChatAccount, intent, claims string) string {
	b.t.Helper()
	var link string
	b.update(func(tx *store.Tx) (err error) {
		link, err = b.svc.Link(tx, account, "Alice <b>Anders</b>", "Contoso", intent, claims)
		return err
	})
	return link
}

func (b *bench) link(account pim.ChatAccount) (link store.Link, found bool) {
	b.t.Helper()
	b.view(func(tx *store.Tx) (err error) {
		link, found, err = tx.Link(account)
		return err
	})
	return link, found
}

func (b *bench) session(account pim.ChatAccount) (session store.Session, found bool) {
	b.t.Helper()
	b.view(func(tx *store.Tx) (err error) {
		session, found, err = tx.Session(account)
		return err
	})
	return session, found
}

func (b *bench) sealed(account pim.ChatAccount) (sealed []byte) {
	b.t.Helper()
	b.view(func(tx *store.Tx) (err error) {
		sealed, err = tx.SessionCache(account)
		return err
	})
	return sealed
}

func (b *bench) samePerson(one, other pim.PrincipalID) (same bool) {
	b.t.Helper()
	b.view(func(tx *store.Tx) (err error) {
		same, err = tx.SamePerson(one, other)
		return err
	})
	return same
}

// events lists kinds and texts, oldest first.
func (b *bench) events() []string {
	b.t.Helper()
	var all []string
	b.view(func(tx *store.Tx) error {
		events, err := tx.Events(1, 1000)
		for _, e := range events {
			all = append(all, fmt.Sprintf("%s %s", e.Kind, e.Person))
		}
		return err
	})
	return all
}

// visitor is one browser. It keeps one cookie and follows nothing by itself.
type visitor struct {
	*bench
	cookie *http.Cookie
}

func (b *bench) visitor() *visitor { return &visitor{bench: b} }

func (v *visitor) send(r *http.Request) *httptest.ResponseRecorder {
	v.t.Helper()
	if v.cookie != nil {
		r.AddCookie(&http.Cookie{Name: v.cookie.Name, Value: v.cookie.Value})
	}
	w := httptest.NewRecorder()
	v.svc.Handler().ServeHTTP(w, r)
	for _, cookie := range w.Result().Cookies() {
		v.cookie = cookie
	}
	return w
}

func (v *visitor) get(address string) *httptest.ResponseRecorder {
	v.t.Helper()
	return v.send(httptest.NewRequest(http.MethodGet, strings.TrimPrefix(address, public), nil))
}

func (v *visitor) post(form url.Values, header map[string]string) *httptest.ResponseRecorder {
	v.t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/auth/start", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for name, value := range header {
		r.Header.Set(name, value)
	}
	return v.send(r)
}

// asBrowser is what browsers send with the form of a page that lets out no referrer.
var asBrowser = map[string]string{"Origin": "null", "Sec-Fetch-Site": "same-origin"}

var hiddenField = regexp.MustCompile(`<input type="hidden" name="(\w+)" value="([^"]*)">`)

func formOf(page *httptest.ResponseRecorder) url.Values {
	form := url.Values{}
	for _, field := range hiddenField.FindAllStringSubmatch(page.Body.String(), -1) {
		form.Set(field[1], html.UnescapeString(field[2]))
	}
	return form
}

// press presses the button of a page and returns where that leads.
func (v *visitor) press(page *httptest.ResponseRecorder) string {
	v.t.Helper()
	w := v.post(formOf(page), asBrowser)
	if w.Code != http.StatusSeeOther {
		v.t.Fatalf("pressing the button: %d\n%s", w.Code, textOf(w))
	}
	return w.Header().Get("Location")
}

// signIn opens a link, presses its button and signs in at Entra.
func (v *visitor) signIn(link string, who map[string]any) *httptest.ResponseRecorder {
	v.t.Helper()
	page := v.get(link)
	if page.Code != http.StatusOK {
		v.t.Fatalf("opening the link: %d\n%s", page.Code, textOf(page))
	}
	return v.get(v.idp.approve(v.press(page), who))
}

// signInBoth goes on to Slack.
func (v *visitor) signInBoth(link string, who, slack map[string]any) *httptest.ResponseRecorder {
	v.t.Helper()
	w := v.signIn(link, who)
	if w.Code != http.StatusSeeOther {
		v.t.Fatalf("after Entra: %d\n%s", w.Code, textOf(w))
	}
	return v.get(v.idp.approve(w.Header().Get("Location"), slack))
}

// linked makes a bench whose alice is linked and signed in.
func linked(t *testing.T, change func(*signin.Config)) *bench {
	t.Helper()
	b := newBench(t, change)
	w := b.visitor().signInBoth(b.newLink(aliceSlack, ""), person(alice, "Alice Anders"), slackAccount(team, aliceSlack.User))
	if w.Code != http.StatusOK {
		t.Fatalf("linking: %d\n%s", w.Code, textOf(w))
	}
	b.told, b.resumed = nil, nil
	return b
}

var tags = regexp.MustCompile(`(?s)<style>.*?</style>|<[^>]+>`)

// textOf is what a person reads of a page.
func textOf(w *httptest.ResponseRecorder) string {
	return strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(w.Body.String(), " "))), " ")
}

func mustSay(t *testing.T, w *httptest.ResponseRecorder, status int, words string) {
	t.Helper()
	if w.Code != status || !strings.Contains(textOf(w), words) {
		t.Errorf("got %d %q, want %d and %q", w.Code, textOf(w), status, words)
	}
}

func newService(b *bench) (*signin.Service, error) { return signin.New(b.cfg) }

func refusingResume(err error) func(context.Context, pim.ChatAccount, string) (string, error) {
	return func(context.Context, pim.ChatAccount, string) (string, error) { return "", err }
}

// placeOf is where a session's cache is sealed for, as the package comment of the state file promises.
func placeOf(person pim.PrincipalID, account pim.ChatAccount) []byte {
	return keyset.Place{Bucket: "session", Tenant: tenant, Object: string(person), Account: account.String(), Version: 1}.AssociatedData()
}
