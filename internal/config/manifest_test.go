package config_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// kubernetes is what the test needs of the manifest's objects.
type kubernetes struct {
	Kind string            `yaml:"kind"`
	Data map[string]string `yaml:"data"`
	Spec struct {
		Template struct {
			Spec struct {
				Containers []struct {
					Env []struct {
						Name  string `yaml:"name"`
						Value string `yaml:"value"`
					} `yaml:"env"`
				} `yaml:"containers"`
			} `yaml:"spec"`
		} `yaml:"template"`
	} `yaml:"spec"`
}

func manifests(t *testing.T) []kubernetes {
	t.Helper()
	file, err := os.Open(filepath.Join("..", "..", "manifests", "kubernetes", "elevate.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var found []kubernetes
	for decoder := yaml.NewDecoder(file); ; {
		var object kubernetes
		switch err := decoder.Decode(&object); {
		case errors.Is(err, io.EOF):
			return found
		case err != nil:
			t.Fatal(err)
		}
		found = append(found, object)
	}
}

// TestKubernetesManifestHoldsSettingsThatLoad reads the manifest's settings under the environment it gives the pod.
func TestKubernetesManifestHoldsSettingsThatLoad(t *testing.T) {
	secrets := map[string]string{
		"ELEVATE_KEYSET": "{keyset}", "ELEVATE_ENTRA_CLIENT_SECRET": "e", "ELEVATE_SLACK_SIGNING_SECRET": "s",
		"ELEVATE_SLACK_BOT_TOKEN": "xoxb-1", "ELEVATE_SLACK_CLIENT_SECRET": "c", "POD_IP": "10.244.1.7",
	}
	w := world{env: map[string]string{}, files: map[string]string{}}
	for _, object := range manifests(t) {
		if object.Kind == "ConfigMap" {
			w.files["elevate.yaml"] = object.Data["elevate.yaml"]
		}
		for _, container := range object.Spec.Template.Spec.Containers {
			for _, variable := range container.Env {
				w.env[variable.Name] = secrets[variable.Name]
				if variable.Value != "" {
					w.env[variable.Name] = strings.ReplaceAll(variable.Value, "$(POD_IP)", secrets["POD_IP"])
				}
			}
		}
	}
	got := mustLoad(t, w)
	if got.ListenAdmin != "10.244.1.7:9090" || got.Keyset.Reveal() != "{keyset}" {
		t.Errorf("listen_admin %s, keyset of %d bytes", got.ListenAdmin, len(got.Keyset.Reveal()))
	}
}
