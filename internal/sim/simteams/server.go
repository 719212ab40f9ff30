package simteams

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"elevate/internal/sim/simchat"
)

// Config is what a fake Teams is made of. All but the last four are required.
type Config struct {
	URL           string           // where it is reached, without a slash at the end
	Now           func() time.Time // machine time: tokens, rates
	Clock         func() time.Time // the world's time, which tests move: messages, views, the end of targeted messages
	App           App
	Tenant        string // the tenant everybody is in who has no other
	Team          Team
	People        []Person
	Conversations []Conversation
	Client        *http.Client // reaches the bot
	// Caller reads the bot's bearer token: whose it is, or an error for one that is not for the connector.
	Caller func(token string) (Caller, error)

	AckWithin time.Duration // how long the bot may take to answer; fifteen seconds when zero
	Count     func() int    // numbers what people can see, together with another chat; one of its own when nil
	Unlimited bool          // no limits of rate
	PageSize  int           // the longest page of a roster; 500 when zero
}

// App is the bot as it is registered with the fake Teams, and its manifest.
type App struct {
	ID       string // its application (client) id
	Name     string
	Endpoint string   // where it takes activities
	Commands []string // titles that are offered after a slash; none: no slash commands and no targeted messages
}

// Caller is who a bearer token belongs to.
type Caller struct {
	AppID, Tenant string
}

// Server is one fake Teams.
type Server struct {
	*simchat.Changes // of everything that anybody can see
	simchat.Faults

	cfg  Config
	keys *keyring

	mu       sync.Mutex
	people   []*Person
	rooms    []*room
	screens  map[string]*screen
	rates    rates
	calls    []Call
	findings []string
	lastSent time.Time
	lastID   int
}

// New makes a fake Teams; Handler serves it.
func New(cfg Config) (*Server, error) {
	if cfg.URL == "" || cfg.Now == nil || cfg.Clock == nil || cfg.Client == nil || cfg.Caller == nil || cfg.App.ID == "" || cfg.Tenant == "" {
		return nil, errors.New("simteams: URL, Now, Clock, Client, Caller, App and Tenant have to be set")
	}
	if cfg.AckWithin == 0 {
		cfg.AckWithin = 15 * time.Second
	}
	if cfg.PageSize == 0 {
		cfg.PageSize = mostMembers
	}
	keys, err := newKeyring()
	if err != nil {
		return nil, err
	}
	s := &Server{
		Changes: simchat.NewChanges(cfg.Count), cfg: cfg, keys: keys, screens: map[string]*screen{}, rates: newRates(),
	}
	for _, p := range cfg.People {
		s.people = append(s.people, &p)
	}
	for _, c := range cfg.Conversations {
		s.rooms = append(s.rooms, &room{Conversation: c})
	}
	return s, nil
}

// Handler serves the metadata and keys of the Bot Framework, and the connector.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/.well-known/openidconfiguration", s.serveMetadata)
	mux.HandleFunc("GET /v1/.well-known/keys", s.serveKeys)
	for _, o := range operations() {
		serve := s.serveOperation(o)
		for _, base := range []string{"/teams", "/emea/{tenant}"} {
			mux.HandleFunc(o.method+" "+base+"/v3/"+o.path, serve)
		}
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusNotFound, object{"message": "No HTTP resource was found that matches the request URI."})
	})
	return http.MaxBytesHandler(mux, maxBody)
}

// MetadataURL is the OpenID metadata's address.
func (s *Server) MetadataURL() string { return s.cfg.URL + "/v1/.well-known/openidconfiguration" }

// GlobalURL is the connector's address for those who have not been told another yet, with a slash at its end.
func (s *Server) GlobalURL() string { return s.cfg.URL + "/teams/" }

// ServiceURL is the connector's address that activities name, with a slash at its end.
func (s *Server) ServiceURL() string { return s.cfg.URL + "/emea/" + s.cfg.Tenant + "/" }

// App returns the bot's registration.
func (s *Server) App() App {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cfg.App
}

// SetEndpoint points the registration at where the bot listens.
func (s *Server) SetEndpoint(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cfg.App.Endpoint = address
}

// SetCommands changes the slash commands of the manifest; none takes targeted messages away, too.
func (s *Server) SetCommands(titles ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cfg.App.Commands = titles
}

// note keeps what is wrong with something the bot sent, although the connector takes it. The lock is held.
func (s *Server) note(what string) { s.findings = append(s.findings, what) }

// Findings lists what the connector took from the bot, and clients of Teams would not show or not understand.
func (s *Server) Findings() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.findings...)
}

// botID is the bot as conversations know it.
func (s *Server) botID() string { return "28:" + s.cfg.App.ID }

// split takes a conversation id apart: the conversation's own, and the message that begins a thread.
func split(id string) (conversation, thread string) {
	conversation, thread, _ = strings.Cut(id, ";messageid=")
	return conversation, thread
}
