// SPDX-License-Identifier: Apache-2.0

package security

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

const imageDigest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// shell runs a script in a folder, with the arguments $1, $2, …
func shell(t *testing.T, folder, script string, environment []string, args ...string) (string, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "bash", append([]string{"-euo", "pipefail", "-c", script, "bash"}, args...)...)
	command.Dir, command.Env = folder, append(os.Environ(), environment...)
	output, err := command.CombinedOutput()
	return string(output), err
}

// repository is one with the script, manifests and chart of this one, and two small programs. Its tag v0.1.0 is signed.
func repository(t *testing.T) (folder string, environment []string) {
	t.Helper()
	folder = t.TempDir()
	harness.Must(t, os.CopyFS(filepath.Join(folder, "config"), os.DirFS(harness.Path("config"))))
	script, err := os.ReadFile(harness.Path("hack/release.sh"))
	harness.Must(t, err)
	for name, text := range map[string]string{
		"hack/release.sh":                   string(script),
		"hack/kubectl_complete-stop_import": "#!/bin/sh\n",
		"LICENSE":                           "a license\n",
		"go.mod":                            "module example.com/operator\n\ngo 1.26.0\n",
		"main.go":                           "package main\n\nimport \"fmt\"\n\nvar version = \"devel\"\n\nfunc main() { fmt.Println(version) }\n",
		"cmd/kubectl-stop_import/main.go":   "package main\n\nfunc main() {}\n",
		// What the script asks of the tool that makes SBOMs.
		"tools/cyclonedx-gomod": "#!/bin/sh\nwhile [ \"$1\" != -output ]; do [ \"$1\" != -main ] || main=$2; shift; done\necho \"{\\\"main\\\":\\\"$main\\\",\\\"platform\\\":\\\"$GOOS/$GOARCH\\\"}\" >\"$2\"\n",
	} {
		harness.Must(t, os.MkdirAll(filepath.Dir(filepath.Join(folder, name)), 0o755))
		harness.Must(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o755))
	}
	environment = []string{
		"HOME=" + folder, "GIT_CONFIG_GLOBAL=" + filepath.Join(folder, ".git/config"), "KUBEBUILDER_ASSETS=" + env.Assets(), "BIN=" + filepath.Join(folder, "tools"),
		"VERSION=v0.1.0", "IMG=registry.test/operator", "DIGEST=" + imageDigest, "DIST=" + filepath.Join(folder, "dist"), "PLATFORMS=linux/amd64",
		"GOMODCACHE=" + goEnv(t, "GOMODCACHE"), "GOCACHE=" + goEnv(t, "GOCACHE"),
	}
	output, err := shell(t, folder, `
		git init -q -b main
		git config user.name maintainer; git config user.email maintainers@example.com
		ssh-keygen -q -t ed25519 -N '' -f .git/key
		echo "maintainers@example.com $(cut -d' ' -f1,2 .git/key.pub)" >.git/allowed_signers
		git config gpg.format ssh; git config user.signingkey "$PWD/.git/key.pub"; git config gpg.ssh.allowedSignersFile "$PWD/.git/allowed_signers"
		git add config hack LICENSE go.mod main.go cmd
		git commit -qm "as it is"
		git tag -s v0.1.0 -m v0.1.0
		git tag v0.2.0`, environment)
	if err != nil {
		t.Fatal(output)
	}
	return folder, environment
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), "go", "env", name).Output()
	harness.Must(t, err)
	return strings.TrimSpace(string(output))
}

// A release has what its tag has: no untracked file, no uncommitted edit, no go.work. Everything that it names is there by its digest,
// and everything that is there is signed.
func TestAReleaseIsWhatItsTagHas(t *testing.T) {
	t.Parallel()
	folder, environment := repository(t)
	for name, text := range map[string]string{
		"evil.go":          "package main\n\nfunc init() { version = \"evil\" }\n",
		"go.work":          "go 1.26.0\n\nuse (\n\t.\n\t./evil\n)\n",
		"config/chart/x":   "evil\n",
		"main.go":          "package main\n\nfunc main() { println(\"evil\") }\n",
		".git/info/x":      "",
		"evil/go.mod":      "module example.com/evil\n\ngo 1.26.0\n",
		"config/evil.yaml": "evil\n",
	} {
		harness.Must(t, os.MkdirAll(filepath.Dir(filepath.Join(folder, name)), 0o755))
		harness.Must(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	output, err := shell(t, folder, `SIGNING_KEY="$PWD/.git/key" hack/release.sh`, environment)
	if err != nil {
		t.Fatal(output)
	}
	output, err = shell(t, filepath.Join(folder, "dist"), `
		chmod +x importjobstop-operator-linux-amd64
		test "$(./importjobstop-operator-linux-amd64)" = v0.1.0
		sha256sum --quiet --check SHA256SUMS
		test "$(ls | grep -cv SHA256SUMS)" = "$(wc -l <SHA256SUMS)"
		ssh-keygen -q -Y verify -f ../.git/allowed_signers -I maintainers@example.com -n importjobstop-operator -s SHA256SUMS.sig <SHA256SUMS
		! grep -rqa evil .
		for program in importjobstop-operator kubectl-stop_import; do grep -q "linux/amd64" $program-linux-amd64.sbom.json; done
		grep -qx "        image: registry.test/operator@$1" install.yaml
		grep -q "\"gitCommit\":\"$(git -C .. rev-parse v0.1.0^{commit})\"" provenance.intoto.json
		grep -q "{\"name\":\"registry.test/operator\",\"digest\":{\"sha256\":\"${1#sha256:}\"}}" provenance.intoto.json
		for file in install.yaml importjobstop-operator-0.1.0.tgz kubectl-stop_import-linux-amd64; do grep -q "\"$file\",\"digest\":{\"sha256\":\"$(sha256sum <$file | cut -d' ' -f1)\"" provenance.intoto.json; done
		tar -xzf importjobstop-operator-0.1.0.tgz
		grep -q "repository: \"registry.test/operator\"" importjobstop-operator/values.yaml
		grep -qx "  digest: \"$1\"" importjobstop-operator/values.yaml
		grep -qx "version: 0.1.0" importjobstop-operator/Chart.yaml`, environment, imageDigest)
	if err != nil {
		t.Error(output)
	}
	again, err := shell(t, folder, `mkdir again; mv dist/SHA256SUMS first; rm -r dist; hack/release.sh; cmp first dist/SHA256SUMS`, environment)
	if err != nil {
		t.Errorf("the same tag made something else: %s", again)
	}
}

// What is not signed, or names its image by a tag, is no release.
func TestAReleaseNeedsASignedTag(t *testing.T) {
	t.Parallel()
	folder, environment := repository(t)
	for what, test := range map[string]struct{ set, want string }{
		"a tag that nobody signed":   {"VERSION=v0.2.0", "is not there, or not signed"},
		"no tag":                     {"VERSION=v0.3.0", "is not there, or not signed"},
		"a branch":                   {"VERSION=main", "give a tag"},
		"an image by its tag":        {"IMG=registry.test/operator:v0.1.0", "neither tag nor digest"},
		"no digest":                  {"DIGEST=", "give a tag, an image and its digest"},
		"a folder that is not empty": {"DIST=" + filepath.Join(folder, "hack"), "is not empty"},
	} {
		if output, err := shell(t, folder, "hack/release.sh", append(environment, test.set)); err == nil || !strings.Contains(output, test.want) {
			t.Errorf("%s: %v, %s", what, err, output)
		}
	}
	stranger := `ssh-keygen -q -t ed25519 -N '' -f .git/other; git -c user.signingkey="$PWD/.git/other.pub" tag -s v0.4.0 -m v0.4.0; VERSION=v0.4.0 hack/release.sh`
	if output, err := shell(t, folder, stranger, environment); err == nil {
		t.Errorf("a tag of a stranger was taken: %s", output)
	}
}

// Base images are pinned: what is built next year of the same commit stands on the same bytes.
func TestBaseImagesArePinned(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(harness.Path("Dockerfile"))
	harness.Must(t, err)
	bases := regexp.MustCompile(`(?m)^FROM (.*)$`).FindAllStringSubmatch(string(text), -1)
	if len(bases) != 2 {
		t.Errorf("%d bases", len(bases))
	}
	pinned := regexp.MustCompile(`^(--platform=\$BUILDPLATFORM )?[a-z./]+:[a-z0-9.]+@sha256:[0-9a-f]{64}( AS [a-z]+)?$`)
	for _, base := range bases {
		if !pinned.MatchString(base[1]) {
			t.Errorf("%s is not pinned by its digest", base[1])
		}
	}
}

// A check for vulnerabilities that could not be made says so, and fails where it must not be left out.
func TestASkippedCheckCanFail(t *testing.T) {
	t.Parallel()
	for what, test := range map[string]struct {
		program, set string
		fails        bool
		want         string
	}{
		"none known":              {"echo 'No vulnerabilities found.'", "STRICT=1", false, "No vulnerabilities found."},
		"one known":               {"echo 'Vulnerability #1: GO-2026-1'; exit 3", "STRICT=", true, "GO-2026-1"},
		"no database":             {"echo 'govulncheck: fetching vulnerabilities: 403'; exit 1", "STRICT=", false, "SKIPPED"},
		"no database, and strict": {"echo 'govulncheck: fetching vulnerabilities: 403'; exit 1", "STRICT=1", true, "SKIPPED"},
	} {
		tools := t.TempDir()
		harness.Must(t, os.WriteFile(filepath.Join(tools, "govulncheck"), []byte("#!/bin/sh\n"+test.program+"\n"), 0o700))
		output, err := shell(t, harness.Root(), "hack/vulnerabilities.sh", []string{"BIN=" + tools, test.set})
		if (err != nil) != test.fails || !strings.Contains(output, test.want) {
			t.Errorf("%s: %v, %s", what, err, output)
		}
	}
}
