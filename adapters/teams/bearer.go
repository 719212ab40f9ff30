package teams

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/infracloudio/msbotbuilder-go/connector/auth"
	"github.com/infracloudio/msbotbuilder-go/schema"
)

const (
	channelTeams = "msteams"
	// leeway is how far the connector's clock may be from ours.
	leeway = 5 * time.Minute
	// maxToken is far above what the connector sends.
	maxToken = 8 << 10
)

// refusal is why something that came in was refused, as it is counted. Whoever
// sent it is not told.
type refusal string

// Error returns the reason.
func (r refusal) Error() string { return "refused: " + string(r) }

// reasonOf is the reason inside an error of this file's, also in the library's wrapping.
func reasonOf(err error) string {
	if r, ok := errors.AsType[refusal](err); ok {
		return string(r)
	}
	return Malformed
}

// bearer checks the tokens of the connector. With the proof that it makes of
// each it stands in the place of the library's TokenValidator
// (connector/auth/jwt_token_validation.go); nothing switches it off.
// https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication
type bearer struct {
	appID  string
	tenant string
	issuer string
	keys   *keySet
	hosts  func(*url.URL) bool // where the connector may be
	now    func() time.Time
}

// proof is a token that was checked. As the library's TokenValidator it checks
// the one activity that came with it, so that the token is checked before the
// body is read, and once.
type proof struct {
	jwt.Claims
	ServiceURL string `json:"serviceurl"`

	by  *bearer
	key key
}

var _ auth.TokenValidator = (*proof)(nil)

// token checks what a token says by itself: who signed it, for whom, until when.
func (b *bearer) token(ctx context.Context, header http.Header) (*proof, error) {
	given := header.Values("Authorization")
	if len(given) != 1 {
		return nil, refusal(NoToken)
	}
	scheme, raw, _ := strings.Cut(given[0], " ")
	if !strings.EqualFold(scheme, "Bearer") || len(raw) > maxToken || strings.Count(raw, ".") != 2 {
		return nil, refusal(NoToken)
	}
	// The algorithm is fixed: one that the token chooses could be none, or HS256
	// with the public key for a secret.
	parsed, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil || len(parsed.Headers) != 1 || parsed.Headers[0].KeyID == "" {
		return nil, refusal(BadToken)
	}
	k, err := b.keys.key(ctx, parsed.Headers[0].KeyID)
	if err != nil {
		return nil, err
	}
	p := &proof{by: b, key: k}
	if err := parsed.Claims(k.public, p); err != nil {
		return nil, refusal(BadToken)
	}
	return p, b.claims(p)
}

// claims checks issuer, audience and times. Without an end a token would be good
// for ever, and without a service it would be good for anybody's.
func (b *bearer) claims(p *proof) error {
	if p.Expiry == nil || p.ServiceURL == "" {
		return refusal(BadClaims)
	}
	want := jwt.Expected{Issuer: b.issuer, AnyAudience: jwt.Audience{b.appID}, Time: b.now()}
	switch err := p.ValidateWithLeeway(want, leeway); {
	case errors.Is(err, jwt.ErrExpired), errors.Is(err, jwt.ErrNotValidYet), errors.Is(err, jwt.ErrIssuedInTheFuture):
		return refusal(NotNow)
	case err != nil:
		return refusal(BadClaims)
	}
	return nil
}

// AuthenticateRequest checks that the activity is the one the token was made
// for, that the channel is Teams, and that the tenant is ours. The body says the
// tenant, and is believed because of all the checks before.
func (p *proof) AuthenticateRequest(_ context.Context, a schema.Activity, _ string, _ auth.CredentialProvider, _ string) (auth.ClaimsIdentity, error) {
	at, err := url.Parse(a.ServiceURL)
	switch {
	case err != nil || !sameAddress(p.ServiceURL, a.ServiceURL) || !p.by.hosts(at):
		return nil, refusal(ForeignService)
	case a.ChannelID != channelTeams || !p.key.endorses(a.ChannelID):
		return nil, refusal(ForeignChannel)
	case !strings.EqualFold(tenantOf(a), p.by.tenant):
		return nil, refusal(ForeignTenant)
	case !p.by.ours(a):
		return nil, refusal(ForeignBot)
	}
	return p, nil
}

// ours reports whether an activity is for this bot and not from a bot.
func (b *bearer) ours(a schema.Activity) bool {
	to, isBot := strings.CutPrefix(a.Recipient.ID, botPrefix)
	return (!isBot || strings.EqualFold(to, b.appID)) && !strings.HasPrefix(a.From.ID, botPrefix)
}

// botPrefix begins the ids of bots in Teams.
const botPrefix = "28:"

// tenantOf is the tenant that an activity says it is of, or "" where its two
// places disagree.
func tenantOf(a schema.Activity) string {
	said := a.Conversation.TenantID
	tenant, _ := a.ChannelData["tenant"].(map[string]any)
	other, _ := tenant["id"].(string)
	switch {
	case said == "":
		return other
	case other != "" && !strings.EqualFold(said, other):
		return ""
	}
	return said
}

// sameAddress compares addresses as Microsoft's own clients do: case and a slash
// at the end aside.
func sameAddress(a, b string) bool {
	return strings.EqualFold(strings.TrimRight(a, "/"), strings.TrimRight(b, "/"))
}

// GetClaimValue returns a claim, or "" when there is none; for the library,
// whose own panics then (connector/auth/claim_identity.go:58).
func (p *proof) GetClaimValue(name string) string {
	switch name {
	case auth.ServiceURLClaim:
		return p.ServiceURL
	case auth.IssuerClaim:
		return p.Issuer
	case auth.AudienceClaim:
		return strings.Join(p.Audience, " ")
	}
	return ""
}

// IsAuthenticated is true: there is no proof of a token that was not checked.
func (p *proof) IsAuthenticated() bool { return true }

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
