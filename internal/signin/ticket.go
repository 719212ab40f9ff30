package signin

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"elevate/internal/keyset"
	"elevate/internal/pim"
	"elevate/internal/store"
)

const (
	// ticketLife is how long a link, and each way to an issuer and back, may take.
	ticketLife = 10 * time.Minute
	// linkRemembered is how long it is known why a link, or a page that is reloaded, does not work.
	linkRemembered = time.Hour
	// tokenBytes make the random values of links, states, nonces and cookies.
	tokenBytes = 32
	// ticketVersion is the version of the sealed content's form.
	ticketVersion = 1

	kindLink = "link"
	kindFlow = "flow"
	kindDone = "done" // a flow that came back; what is left of it tells a reload from a stranger
)

// A leg is the way to one issuer and back to its own callback.
type leg string

const (
	legEntra leg = "entra"
	legSlack leg = "slack"
)

// An ask is what a link was made for.
type ask struct {
	Name      string `json:"name"`      // of the chat account, as the chat shows it
	Workspace string `json:"workspace"` // its name
	Claims    string `json:"claims,omitempty"`
	// Until is the link's end. Its ticket stays longer, so that people are told why it does not work.
	Until time.Time `json:"until"`
	// Used is set when the button was pressed.
	Used bool `json:"used,omitempty"`
	// Browser is set where only the browser that began may go on.
	Browser string `json:"browser,omitempty"`
	// Choose lets the person choose an account; Again asks for the password although there is a session at Entra.
	Choose bool `json:"choose,omitempty"`
	Again  bool `json:"again,omitempty"`
	// Tries counts the sign-ins that were not what was needed.
	Tries int `json:"tries,omitempty"`
	// Other is the account that was proved first, where a second one has to be.
	Other *proof `json:"other,omitempty"`
}

// A flow is a browser on its way to an issuer and back.
type flow struct {
	Ask      ask    `json:"ask"`
	Browser  string `json:"browser"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier,omitempty"`
	// Proof is who signed in at Entra, on the way to Slack.
	Proof *proof `json:"proof,omitempty"`

	account pim.ChatAccount
	intent  string
}

// A proof is an Entra account that signed in, as its ID token says.
type proof struct {
	Person   pim.PrincipalID `json:"person"`
	Name     string          `json:"name"`
	Login    string          `json:"login,omitempty"` // what they type to sign in; decides nothing
	AuthTime time.Time       `json:"auth_time"`       // zero where the tenant does not say
	ACRS     []string        `json:"acrs,omitempty"`
	Cache    []byte          `json:"cache"` // MSAL's token cache
}

// newToken draws a random value that fits in a URL.
func newToken() string {
	b := make([]byte, tokenBytes)
	_, _ = rand.Read(b) // it never fails, by its documentation
	return base64.RawURLEncoding.EncodeToString(b)
}

// isToken keeps everything else away from the store.
func isToken(s string) bool {
	b, err := base64.RawURLEncoding.DecodeString(s)
	return err == nil && len(b) == tokenBytes
}

// hashOf is the only thing that is stored of a token. What it is for goes in, so that it fits nothing else.
func hashOf(purpose, token string) string {
	sum := sha256.Sum256([]byte(purpose + "|" + token))
	return hex.EncodeToString(sum[:])
}

func linkHash(token string) string          { return hashOf("elevate link", token) }
func stateHash(to leg, state string) string { return hashOf("elevate state "+string(to), state) }

func (s *Service) ticketPlace(t store.Ticket) []byte {
	return keyset.Place{
		Bucket: "ticket-" + t.Kind, Tenant: s.cfg.TenantID, Object: t.Hash, Account: t.Account.String(), Version: ticketVersion,
	}.AssociatedData()
}

// putTicket stores content, sealed for exactly this ticket.
func (s *Service) putTicket(tx *store.Tx, t store.Ticket, content any) error {
	plain, err := json.Marshal(content)
	if err != nil {
		return fmt.Errorf("encoding a sign-in ticket: %w", err)
	}
	sealed, err := s.cfg.Keys.Seal(plain, s.ticketPlace(t))
	if err != nil {
		return err
	}
	if t.Data, err = json.Marshal(sealed); err != nil {
		return fmt.Errorf("encoding a sign-in ticket: %w", err)
	}
	return tx.PutTicket(t)
}

// openTicket finds a ticket that has not expired and opens its content; found is false where there is none.
func (s *Service) openTicket(tx *store.Tx, kind, hash string, content any) (t store.Ticket, found bool, err error) {
	t, found, err = tx.Ticket(hash)
	if err != nil || !found || t.Kind != kind {
		return store.Ticket{}, false, err
	}
	var sealed []byte
	if err := json.Unmarshal(t.Data, &sealed); err != nil {
		return store.Ticket{}, false, fmt.Errorf("decoding a sign-in ticket: %w", err)
	}
	plain, err := s.cfg.Keys.Open(sealed, s.ticketPlace(t))
	if err != nil {
		return store.Ticket{}, false, fmt.Errorf("opening a sign-in ticket of %s: %w", t.Account, err)
	}
	if err := json.Unmarshal(plain, content); err != nil {
		return store.Ticket{}, false, fmt.Errorf("decoding a sign-in ticket: %w", err)
	}
	return t, true, nil
}
