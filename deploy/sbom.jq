# The CycloneDX 1.6 bill of materials of the programs of one target. The input
# is a list of 'go version -m -json', one a program.
def reference: "pkg:golang/\(.Path)@\(.Version)";
def component: (.Replace // .) | {
	"bom-ref": reference, type: "library", name: .Path, version: .Version, purl: reference,
	properties: [{name: "go:module:sum", value: .Sum}]
};
. as $programs
| ([$programs[].Deps[]] | map(component) | unique_by(.purl)) as $modules
| ($programs[0].GoVersion | ltrimstr("go")) as $go
| {"bom-ref": "pkg:golang/std@\($go)", type: "library", name: "std", version: $go, purl: "pkg:golang/std@\($go)"} as $std
| "pkg:golang/github.com/ttai-go/ttai@v\($version)" as $root
| {
	"$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
	bomFormat: "CycloneDX", specVersion: "1.6", version: 1,
	metadata: {
		timestamp: $time,
		component: {
			"bom-ref": $root, type: "application", name: "ttai", version: $version, purl: $root,
			licenses: [{license: {id: "Apache-2.0"}}],
			properties: [{name: "target", value: "\($os)/\($arch)"}],
			components: [$programs[] | (.Path | split("/") | last) as $name | {
				"bom-ref": "program:\($name)", type: "application", name: $name, version: $version,
				hashes: [{alg: "SHA-256", content: $sums[$name]}]
			}]
		}
	},
	components: ([$std] + $modules),
	dependencies: ([{ref: $root, dependsOn: [$programs[] | "program:\(.Path | split("/") | last)"]}]
		+ [$programs[] | {ref: "program:\(.Path | split("/") | last)", dependsOn: ([$std."bom-ref"] + [.Deps[] | (.Replace // .) | reference])}])
}
