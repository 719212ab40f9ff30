package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"elevate/adapters/entra"
	"elevate/adapters/slack"
	"elevate/adapters/teams"
	"elevate/internal/config"
	"elevate/internal/keyset"
	"elevate/internal/pim"
	"elevate/internal/secret"
	"elevate/internal/signin"
	"elevate/internal/store"
	"elevate/internal/workflow"
)

// surroundings are what a bot does not make itself.
type surroundings struct {
	now       func() time.Time
	transport http.RoundTripper
	log       *slog.Logger
	audit     io.Writer
	tick      time.Duration
	// restored drops sessions and person-effects before anything runs.
	restored bool
}

// bot is Elevate, wired.
type bot struct {
	cfg       *config.Config
	around    surroundings
	db        *store.DB
	keys      *keyset.Set
	entra     *entra.Client
	slack     *slack.Client
	teams     *teams.Client
	signin    *signin.Service
	service   *workflow.Service
	onCall    *roster                           // nil without a schedule
	serving   *atomic.Pointer[workflow.Service] // the same, for the operator's orders, once it runs
	meters    *meters
	socket    *server                 // takes the operator's orders from when the state file is open
	waits     *atomic.Pointer[string] // what the start waits for, and why
	unwell    *atomic.Int64           // how many checks failed when it last looked at itself
	inbound   *slack.Handler          // what Slack sends; nil without Slack
	fromTeams *teams.Handler          // what Teams sends; nil without Teams
}

// newBot opens the state file and wires everything.
func newBot(ctx context.Context, cfg *config.Config, around surroundings) (*bot, error) {
	b, err := openBot(ctx, cfg, around)
	if err != nil {
		return nil, err
	}
	return b, b.connect(ctx)
}

// openBot opens the state file, which only one process can, and the admin
// socket: while Entra and Slack are waited for, the operator wants to look.
func openBot(ctx context.Context, cfg *config.Config, around surroundings) (*bot, error) {
	b := &bot{cfg: cfg, around: around, meters: newMeters(), serving: &atomic.Pointer[workflow.Service]{}, waits: &atomic.Pointer[string]{}, unwell: &atomic.Int64{}}
	var err error
	if b.keys, err = keysOf(cfg); err != nil {
		return nil, err
	}
	if b.db, err = store.Open(store.Config{Path: cfg.State, Keys: b.keys, Now: around.now, Sink: around.audit, Logger: around.log}); err != nil {
		return nil, err
	}
	if b.socket, err = startAdminSocket(ctx, cfg.AdminSocket, operator{db: b.db, room: filepath.Dir(cfg.State), serving: b.serving}, around.log); err != nil {
		return nil, errors.Join(err, b.db.Close())
	}
	return b, nil
}

// connect asks Entra for the governed groups and Slack who it is, and wires
// everything; when it fails, the bot is closed.
func (b *bot) connect(ctx context.Context) error {
	if err := b.wire(ctx, b.keys); err != nil {
		return errors.Join(err, b.shut())
	}
	return nil
}

// shut closes what openBot opened.
func (b *bot) shut() error {
	b.socket.stop()
	return b.db.Close()
}

func (b *bot) wire(ctx context.Context, keys *keyset.Set) error {
	if b.around.restored {
		if err := b.db.Restored(ctx); err != nil {
			return err
		}
	}
	if err := b.wireEntra(); err != nil {
		return err
	}
	if err := b.wireSlack(ctx); err != nil {
		return err
	}
	if err := b.wireTeams(); err != nil {
		return err
	}
	if err := b.wireSignin(keys); err != nil {
		return err
	}
	return b.wireService(ctx)
}

// keysOf reads the keyset, whose file nobody else may read.
func keysOf(cfg *config.Config) (*keyset.Set, error) {
	if cfg.KeysetFile != "" {
		if err := keyset.CheckMode(cfg.KeysetFile); err != nil {
			return nil, err
		}
	}
	return keyset.Load(cfg.Keyset)
}

// application is how the bot's own registration proves itself.
func (b *bot) application() entra.CredentialConfig {
	e := b.cfg.Entra
	return entra.CredentialConfig{
		TenantID: e.TenantID, ClientID: e.ClientID, Authority: e.Authority, Secret: e.ClientSecret, Certificate: e.Certificate,
		Federated: entra.Federated(e.Federated), Transport: b.around.transport, Sandbox: b.cfg.Sandbox,
	}
}

func (b *bot) wireEntra() error {
	e := b.cfg.Entra
	credential, err := entra.NewAppCredential(b.application())
	if err != nil {
		return fmt.Errorf("the credential under entra in the settings: %w", err)
	}
	b.entra, err = entra.New(entra.Config{
		Graph: e.Graph, Transport: b.around.transport, AppCredential: credential, SamePersonAttribute: b.cfg.People.SamePerson,
		PersonToken: func(ctx context.Context, as pim.Actor, claims string) (secret.Text, time.Time, error) {
			return b.signin.Token(ctx, as, claims)
		},
		Now: b.around.now, Logger: b.around.log, Metrics: b.meters.graph,
	})
	return err
}

func (b *bot) wireSlack(ctx context.Context) error {
	if b.cfg.Slack == nil {
		return nil
	}
	s := b.cfg.Slack
	b.slack = slack.NewClient(slack.Config{
		BotToken: s.BotToken, AppToken: s.AppToken, API: s.API, TeamID: s.TeamID, Transport: b.around.transport,
		Now: b.around.now, Logger: b.around.log, Sandbox: b.cfg.Sandbox,
	})
	if b.cfg.Teams == nil {
		return b.startSlack(ctx)
	}
	err := b.slack.Start(ctx)
	if err != nil && passes(err) {
		b.around.log.Warn("waiting_for", "what", "Slack", "error", pim.Explain(err).Message)
		return nil
	}
	return err
}

func (b *bot) startSlack(ctx context.Context) error {
	return b.patiently(ctx, "Slack", func() error { return b.slack.Start(ctx) })
}

// listenToSlack waits for a Slack that was not there at the start, since people
// are served in Teams meanwhile, and then takes what comes by Socket Mode.
func (b *bot) listenToSlack(ctx context.Context) error {
	if !b.slack.Started() {
		if err := b.startSlack(ctx); err != nil {
			return err
		}
		b.around.log.Info("slack_started")
	}
	if b.cfg.Slack.AppToken.IsZero() {
		<-ctx.Done()
		return nil
	}
	return b.inbound.Listen(ctx)
}

// workspaceName is what the sign-in page calls the place that an account belongs to.
func (b *bot) workspaceName(a pim.ChatAccount) string {
	if a.Chat == pim.Slack && b.slack != nil {
		return b.slack.WorkspaceName()
	}
	if a.Chat == pim.Teams {
		return "your organisation"
	}
	return ""
}

// delegatedScopes are the only permissions that people's sessions ask for.
func delegatedScopes(graph string) []string {
	return []string{
		graph + "/PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup",
		graph + "/PrivilegedEligibilitySchedule.Read.AzureADGroup",
	}
}

func (b *bot) wireSignin(keys *keyset.Set) error {
	e := b.cfg.Entra
	var assertion func(context.Context) (secret.Text, error)
	var err error
	if e.Federated != "" {
		if assertion, err = entra.NewAssertion(b.application()); err != nil {
			return err
		}
	}
	b.signin, err = signin.New(signin.Config{
		PublicURL: b.cfg.PublicURL, TenantID: e.TenantID, ClientID: e.ClientID, Authority: e.Authority,
		ClientSecret: e.ClientSecret, Certificate: e.Certificate, Assertion: assertion, Slack: b.slackOIDC(),
		Scopes: delegatedScopes(e.Graph), Store: b.db, Keys: keys, Session: e.Session, DecideWithin: e.DecideWithin,
		Accounts: string(b.cfg.People.Accounts), Transport: b.around.transport, Sandbox: b.cfg.Sandbox, Now: b.around.now, Logger: b.around.log,
		Describe: func(tx *store.Tx, intent string) (string, error) { return b.service.Describe(tx, intent) },
		Resume: func(ctx context.Context, a pim.ChatAccount, intent string) (string, error) {
			return b.service.Resume(ctx, a, intent)
		},
		AccountAlive: b.accountAlive,
		Unlinked:     workflow.GiveUpIntents,
		Told:         workflow.PutTold,
		Reaches:      b.reaches,
		Since:        func(tx *store.Tx, intent string) (time.Time, error) { return b.service.SignInSince(tx, intent) },
		Count:        b.meters.refused,
	})
	return err
}

func (b *bot) slackOIDC() *signin.SlackOIDC {
	if b.cfg.Slack == nil {
		return nil
	}
	s := b.cfg.Slack
	return &signin.SlackOIDC{Issuer: slackIssuer(s.API), ClientID: s.ClientID, Secret: s.ClientSecret, TeamID: s.TeamID}
}

// slackIssuer is Slack's address as an OpenID provider: the host of its API.
func slackIssuer(api string) string {
	u, err := url.Parse(api)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

func (b *bot) accountAlive(ctx context.Context, a pim.ChatAccount) error {
	if a.Chat == pim.Slack && b.slack != nil {
		return b.slack.Account(ctx, a)
	}
	if a.Chat == pim.Teams && b.teams != nil {
		return b.teams.Account(ctx, a)
	}
	return pim.Errorf(pim.Forbidden, "This chat is not set up.")
}

func (b *bot) wireService(ctx context.Context) error {
	roles, readers, err := b.resolve(ctx)
	if err != nil {
		return err
	}
	messengers := map[pim.Chat]workflow.Messenger{}
	if b.slack != nil {
		messengers[pim.Slack] = b.slack
	}
	if b.teams != nil {
		messengers[pim.Teams] = b.teams
	}
	b.wireOnCall()
	b.service = workflow.New(workflow.Config{ //nolint:contextcheck // its writes outlive who waits for them
		Store: b.db, Directory: b.entra, Messengers: messengers, Roles: roles, Readers: readers,
		Tenant: pim.TenantID(b.cfg.Entra.TenantID), DecideWithin: b.cfg.Entra.DecideWithin, KeepSessions: b.cfg.Entra.Session > 0,
		SignInLink: func(tx *store.Tx, l workflow.SignInLink) (string, error) {
			return b.signin.Link(tx, l.Account, l.AccountName, b.workspaceName(l.Account), l.Intent, l.Claims)
		},
		EndSession: b.signin.EndSession, SignOut: b.signin.SignOut, Unlink: b.signin.Unlink, Reaches: b.reaches, Peoples: b.peoplesGroups, PIMPage: pimPage(b.cfg.Entra.Authority),
		OnCall: b.whoIsOnCall(),
		Now:    b.around.now, Tick: b.around.tick, Logger: b.around.log, Count: b.meters.effect, SweepFirst: b.around.restored,
	})
	b.wireInbound()
	b.wireFromTeams()
	b.gauges()
	return nil
}

// pimPage is where approvers find PIM's own list of requests, in the cloud that people sign in to.
// https://learn.microsoft.com/entra/identity/privileged-identity-management/groups-approval-workflow
func pimPage(authority string) string {
	portal := "https://entra.microsoft.com"
	switch {
	case strings.HasSuffix(authority, ".us"):
		portal = "https://entra.microsoft.us"
	case strings.HasSuffix(authority, ".cn"):
		portal = "https://entra.microsoftonline.cn"
	}
	return portal + "/#view/Microsoft_Azure_PIMCommon/ApproveRequestMenuBlade/~/aadgroup"
}

// gauges are read when somebody looks at /metrics.
func (b *bot) gauges() {
	b.meters.gauge("effects_waiting", "Effects that wait or run.", func() float64 { return float64(b.service.Waiting()) })
	b.meters.gauge("seconds_since_sweep", "Seconds since PIM was last read as a whole; -1 before the first time.", func() float64 {
		swept := b.service.Swept()
		if swept.IsZero() {
			return -1
		}
		return b.around.now().Sub(swept).Seconds()
	})
	b.meters.gauge("unknown_words", "Times that PIM called a request by a word that Elevate does not know; the audit trail names them.", func() float64 {
		met := 0
		err := b.db.View(func(tx *store.Tx) error {
			words, err := workflow.UnknownWords(tx)
			for _, times := range words {
				met += times
			}
			return err
		})
		if err != nil {
			return -1
		}
		return float64(met)
	})
	b.meters.gauge("reviews_open", "Uses of emergency roles that nobody has reviewed yet; -1 where the state file cannot be read.", func() float64 {
		open := 0
		err := b.db.View(func(tx *store.Tx) error {
			reviews, err := workflow.OpenReviews(tx)
			open = len(reviews)
			return err
		})
		if err != nil {
			return -1
		}
		return float64(open)
	})
	b.meters.gauge("state_unwritten", "1 while the state file cannot be written.", func() float64 { return oneIf(b.db.Unwritten()) })
	b.meters.gauge("audit_sink_behind", "1 while the audit sink lacks events; work waits for it.", func() float64 { return oneIf(b.db.SinkBehind()) })
	b.meters.gauge("effects_parked", "Effects that were given up; `elevate queue list` names them.", func() float64 {
		stats, err := b.db.Stats()
		if err != nil {
			return -1
		}
		return float64(stats.Parked)
	})
}

func (b *bot) wireInbound() {
	if b.slack == nil {
		return
	}
	b.inbound = slack.NewHandler(slack.HandlerConfig{
		Client: b.slack, Service: b.service, SigningSecret: b.cfg.Slack.SigningSecret, Now: b.around.now,
		Logger: b.around.log, Count: b.meters.refused, AccountChanged: b.accountChanged, Home: b.service.OpenHome,
	})
}

// accountChanged ends a link when Slack says that its account is gone. What
// fails here is found by the daily check.
func (b *bot) accountChanged(ctx context.Context, a pim.ChatAccount) {
	if err := b.service.AccountChanged(ctx, a); err != nil {
		b.around.log.Warn("account_not_checked", "account", a.String(), "error", pim.Explain(err).Message)
	}
}

// patiently tries until it works: what a bot needs at its start may be late.
// What an administrator has to mend fails at once.
func (b *bot) patiently(ctx context.Context, what string, try func() error) error {
	defer b.waits.Store(nil)
	for wait := time.Second; ; wait = min(2*wait, 30*time.Second) {
		err := try()
		if err == nil || !passes(err) {
			return err
		}
		said := pim.Explain(err).Message
		b.around.log.Warn("waiting_for", "what", what, "error", said)
		why := what + ": " + said
		b.waits.Store(&why)
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", what, ctx.Err())
		case <-time.After(wait):
		}
	}
}

// passes reports whether an error may go away by itself.
func passes(err error) bool {
	kind := pim.Explain(err).Kind
	return kind == pim.Unavailable || kind == pim.Throttled || kind == pim.AnswerLost
}
