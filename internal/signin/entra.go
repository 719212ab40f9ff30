package signin

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"

	"elevate/internal/pim"
)

const entraCallback = "/auth/entra/callback"

// signInScopes are asked for beside the delegated permissions: the ID token, names, and a refresh token.
var signInScopes = []string{"openid", "profile", "offline_access"}

// entraURL makes the address at Entra. MSAL adds the claims with our capability, but neither state, nonce nor PKCE.
func (s *Service) entraURL(ctx context.Context, f flow, state string) (string, error) {
	var options []confidential.AuthCodeURLOption
	if f.Ask.Claims != "" {
		options = append(options, confidential.WithClaims(f.Ask.Claims))
	}
	scopes := append(slices.Clone(s.cfg.Scopes), signInScopes...)
	address, err := s.asker.AuthCodeURL(ctx, s.cfg.ClientID, s.cfg.PublicURL+entraCallback, scopes, options...)
	if err != nil {
		return "", entraFault(err)
	}
	u, err := url.Parse(address)
	if err != nil {
		return "", s.entra.distrust("discovery")
	}
	query := u.Query()
	query.Set("state", state)
	query.Set("nonce", f.Nonce)
	query.Set("code_challenge", challenge(f.Verifier))
	query.Set("code_challenge_method", "S256")
	if prompt := f.Ask.prompt(); prompt != "" {
		query.Set("prompt", prompt)
	}
	u.RawQuery = query.Encode()
	return u.String(), nil
}

// prompt is OpenID's parameter of that name.
func (a ask) prompt() string {
	switch {
	case a.Again:
		return "login"
	case a.Choose:
		return "select_account"
	}
	return ""
}

func challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// redeem exchanges a code for tokens, and believes nothing about them but what the verified ID token says.
func (s *Service) redeem(ctx context.Context, f flow, code string) (*proof, error) {
	tokens := &tokenCache{}
	client, err := s.msal(tokens)
	if err != nil {
		return nil, s.entra.distrust("client")
	}
	options := []confidential.AcquireByAuthCodeOption{confidential.WithChallenge(f.Verifier)}
	if f.Ask.Claims != "" {
		options = append(options, confidential.WithClaims(f.Ask.Claims))
	}
	result, err := client.AcquireTokenByAuthCode(ctx, code, s.cfg.PublicURL+entraCallback, s.cfg.Scopes, options...)
	if err != nil {
		return nil, entraFault(err)
	}
	var said entraClaims
	if err := s.entra.verify(ctx, result.IDToken.RawToken, f.Nonce, &said); err != nil {
		return nil, err
	}
	if err := said.check(s.cfg.TenantID, s.entra.url); err != nil {
		return nil, err
	}
	p := said.proof()
	p.Cache = tokens.content
	return p, s.checkAccount(result.Account, p.Person)
}

// checkAccount compares the account that MSAL filed the tokens under with the verified one.
func (s *Service) checkAccount(account confidential.Account, person pim.PrincipalID) error {
	if !strings.EqualFold(account.HomeAccountID, s.homeAccount(person)) || pim.NewPrincipalID(account.LocalAccountID) != person {
		return s.entra.distrust("account")
	}
	return nil
}

// homeAccount is how MSAL names an account of our tenant.
func (s *Service) homeAccount(person pim.PrincipalID) string {
	return string(person) + "." + s.cfg.TenantID
}

// entraClaims is what we take from an ID token of Entra's. E-mail addresses and names decide nothing.
type entraClaims struct {
	OID      string    `json:"oid"`
	TID      string    `json:"tid"`
	AuthTime int64     `json:"auth_time"`
	ACRS     stringSet `json:"acrs"`
	Name     string    `json:"name"`
	Username string    `json:"preferred_username"`
	IDP      string    `json:"idp"`
	Acct     *int      `json:"acct"` // 1: guest
}

var objectID = regexp.MustCompile(`^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func (c entraClaims) check(tenant, issuerURL string) error {
	home := []string{"", issuerURL, "https://sts.windows.net/" + tenant + "/"}
	switch {
	case !strings.EqualFold(c.TID, tenant):
		return refuse("another tenant", "This account belongs to another organisation. Sign in with your account of this one.")
	case !objectID.MatchString(string(pim.NewPrincipalID(c.OID))):
		return refuse("no object id", "Microsoft did not say which account this is. Tell an administrator that Elevate needs the profile scope.")
	case c.Acct != nil && *c.Acct != 0, !slices.Contains(home, c.IDP):
		return refuse("guest", "Guests of the tenant cannot use Elevate. Sign in with an account that belongs to it.")
	}
	return nil
}

func (c entraClaims) proof() *proof {
	p := &proof{Person: pim.NewPrincipalID(c.OID), Name: cut(c.Name), Login: cut(c.Username), ACRS: c.ACRS}
	if p.Name == "" {
		p.Name = p.Login
	}
	if c.AuthTime > 0 {
		p.AuthTime = time.Unix(c.AuthTime, 0).UTC()
	}
	return p
}

// A stringSet is a claim that may be one string or a list of them.
type stringSet []string

// UnmarshalJSON implements json.Unmarshaler.
func (s *stringSet) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*s = []string{one}
		return nil
	}
	var many []string
	if err := json.Unmarshal(data, &many); err != nil {
		return err
	}
	*s = many
	return nil
}
