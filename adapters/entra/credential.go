package entra

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"elevate/internal/pim"
	"elevate/internal/secret"
)

// Federated says where an assertion comes from that stands in the place of a secret.
type Federated string

// The places an assertion can come from.
const (
	WorkloadIdentity Federated = "workload-identity" // a token file that Kubernetes keeps fresh
	ManagedIdentity  Federated = "managed-identity"  // the host's own identity in Azure
)

// CredentialConfig is the application's own identity. Exactly one of Secret, Certificate and Federated is set.
type CredentialConfig struct {
	TenantID  string
	ClientID  string
	Authority string // https://login.microsoftonline.com
	Secret    secret.Text
	// Certificate is the certificate and its private key, PEM or PFX.
	Certificate secret.Text
	Federated   Federated
	Transport   http.RoundTripper // nil means the default one
	// Sandbox switches off asking the public login host about an authority it does not know.
	Sandbox bool
}

// exchangeScope is what a managed identity's token has to be for, to serve as an assertion.
const exchangeScope = "api://AzureADTokenExchange/.default"

// NewAppCredential makes the application's own identity. It calls nobody. Its errors say nothing of what Entra answered
// beyond the AADSTS number.
func NewAppCredential(cfg CredentialConfig) (azcore.TokenCredential, error) {
	credential, err := appCredential(cfg)
	if err != nil {
		return nil, err
	}
	return &quietCredential{credential}, nil
}

func appCredential(cfg CredentialConfig) (azcore.TokenCredential, error) {
	set := 0
	for _, one := range []bool{!cfg.Secret.IsZero(), !cfg.Certificate.IsZero(), cfg.Federated != ""} {
		if one {
			set++
		}
	}
	if set != 1 {
		return nil, pim.Errorf(pim.Administered, "Exactly one of a client secret, a certificate and a federated identity is needed.")
	}
	options := clientOptions(cfg)
	switch {
	case !cfg.Secret.IsZero():
		return made(azidentity.NewClientSecretCredential(cfg.TenantID, cfg.ClientID, cfg.Secret.Reveal(),
			&azidentity.ClientSecretCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: cfg.Sandbox}))
	case !cfg.Certificate.IsZero():
		return certificateCredential(cfg, options)
	case cfg.Federated == WorkloadIdentity:
		if err := tokenFileIsNamed(); err != nil {
			return nil, err
		}
		return made(azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
			ClientOptions: options, TenantID: cfg.TenantID, ClientID: cfg.ClientID, DisableInstanceDiscovery: cfg.Sandbox,
		}))
	case cfg.Federated == ManagedIdentity:
		return managedCredential(cfg, options)
	}
	return nil, pim.Errorf(pim.Administered, "%q is no federated identity. Use %s or %s.", cfg.Federated, WorkloadIdentity, ManagedIdentity)
}

// made hides what azidentity says of its input.
func made[C azcore.TokenCredential](credential C, err error) (azcore.TokenCredential, error) {
	if err != nil {
		return nil, pim.Errorf(pim.Administered, "The application's credential is not usable. Check tenant, client id, authority and secret.")
	}
	return credential, nil
}

func clientOptions(cfg CredentialConfig) azcore.ClientOptions {
	transport := cfg.Transport
	if transport == nil {
		transport = defaultTransport()
	}
	return azcore.ClientOptions{
		Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: cfg.Authority},
		Retry:     policy.RetryOptions{MaxRetries: -1},
		Telemetry: policy.TelemetryOptions{Disabled: true},
		Transport: &http.Client{
			Transport: transport, Timeout: callTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

func certificateCredential(cfg CredentialConfig, options azcore.ClientOptions) (azcore.TokenCredential, error) {
	certificates, key, err := azidentity.ParseCertificates([]byte(cfg.Certificate.Reveal()), nil)
	if err != nil {
		return nil, pim.Errorf(pim.Administered, "The certificate cannot be read. It must be PEM or PFX and hold the certificate and its private key.")
	}
	return made(azidentity.NewClientCertificateCredential(cfg.TenantID, cfg.ClientID, certificates, key,
		&azidentity.ClientCertificateCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: cfg.Sandbox}))
}

// managedCredential signs the application in with a token of the host's identity; where the application is that identity
// itself, as a bot of the kind UserAssignedMSI is, the host's token is the application's.
// https://learn.microsoft.com/azure/bot-service/bot-builder-authentication
func managedCredential(cfg CredentialConfig, options azcore.ClientOptions) (azcore.TokenCredential, error) {
	if strings.EqualFold(os.Getenv("AZURE_CLIENT_ID"), cfg.ClientID) && cfg.ClientID != "" {
		return made(azidentity.NewManagedIdentityCredential(&azidentity.ManagedIdentityCredentialOptions{
			ClientOptions: options, ID: azidentity.ClientID(cfg.ClientID),
		}))
	}
	token, err := hostToken(options)
	if err != nil {
		return nil, err
	}
	return made(azidentity.NewClientAssertionCredential(cfg.TenantID, cfg.ClientID, token,
		&azidentity.ClientAssertionCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: cfg.Sandbox}))
}

// NewAssertion makes what proves a federated application where people sign in to it: MSAL asks for it each time that it
// calls Entra. It calls nobody.
func NewAssertion(cfg CredentialConfig) (func(context.Context) (secret.Text, error), error) {
	token := fileToken
	var err error
	if cfg.Federated == ManagedIdentity {
		token, err = hostToken(clientOptions(cfg))
	} else {
		err = tokenFileIsNamed()
	}
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (secret.Text, error) {
		text, err := token(ctx)
		if err != nil {
			return secret.Text{}, credentialError(ctx, err)
		}
		return secret.New(text), nil
	}, nil
}

// tokenFile is the variable that says where Kubernetes keeps the token. Client and tenant come from the settings.
const tokenFile = "AZURE_FEDERATED_TOKEN_FILE"

// tokenFileIsNamed finds out at the start that the platform is not set up.
func tokenFileIsNamed() error {
	if os.Getenv(tokenFile) != "" {
		return nil
	}
	return pim.Errorf(pim.Administered, "federated: workload-identity needs the environment variable "+tokenFile+", which is not set. "+
		"In AKS, label the pod azure.workload.identity/use: \"true\" and annotate its service account with the application's client id; elsewhere, set it to the token's file.")
}

// fileToken reads the token that Kubernetes keeps fresh.
func fileToken(context.Context) (string, error) {
	token, err := os.ReadFile(os.Getenv(tokenFile)) //nolint:gosec // the platform names the file
	return string(token), err
}

// hostToken gets tokens of the host's identity that serve as assertions.
func hostToken(options azcore.ClientOptions) (func(context.Context) (string, error), error) {
	managed := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: options}
	// As Microsoft's own clients have it, a user-assigned identity is named here; else it is the system-assigned one.
	if id := os.Getenv("AZURE_CLIENT_ID"); id != "" {
		managed.ID = azidentity.ClientID(id)
	}
	host, err := made(azidentity.NewManagedIdentityCredential(managed))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (string, error) {
		token, err := host.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{exchangeScope}})
		return token.Token, err
	}, nil
}

// quietCredential keeps azidentity's errors to itself: they hold the endpoint's address and its whole answer.
type quietCredential struct{ azcore.TokenCredential }

// GetToken implements azcore.TokenCredential.
func (q *quietCredential) GetToken(ctx context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := q.TokenCredential.GetToken(ctx, options)
	if err != nil {
		return azcore.AccessToken{}, credentialError(ctx, err)
	}
	return token, nil
}

var entraCode = regexp.MustCompile(`\bAADSTS\d{4,9}\b`)

// credentialError turns a failed sign-in of the application into an error without address and answer.
func credentialError(ctx context.Context, err error) error {
	if _, ok := errors.AsType[*pim.Error](err); ok {
		return err
	}
	if cause := ctx.Err(); cause != nil {
		return fmt.Errorf("%w (%w)", pim.Errorf(pim.Unavailable, "Microsoft Entra took too long to sign Elevate in. Try again in a minute."), cause)
	}
	failed, ok := errors.AsType[*azidentity.AuthenticationFailedError](err)
	if !ok || failed.RawResponse == nil || failed.RawResponse.StatusCode >= 500 {
		return pim.Errorf(pim.Unavailable, "Microsoft Entra was not reached to sign Elevate in. Nothing was changed; try again in a minute.")
	}
	if failed.RawResponse.StatusCode == http.StatusTooManyRequests {
		e := pim.Errorf(pim.Throttled, "Microsoft Entra is asked too much at the moment. Nothing was changed; it is tried again after a while.")
		e.RetryAfter = retryAfter(failed.RawResponse.Header)
		return e
	}
	e := pim.Errorf(pim.Administered, "Microsoft Entra refused Elevate's own sign-in. Tell an administrator to check its credential.")
	e.Code = entraCode.FindString(failed.Error())
	return e
}
