using DicomServerless.EdgeGateway.Forwarding;
using DicomServerless.EdgeGateway.Hosting;
using Microsoft.Extensions.Configuration;

namespace DicomServerless.Unit.Gateway;

/// <summary>Configuration: what is read, and every problem with key, value and fix.</summary>
public sealed class OptionsTests
{
    [Fact]
    public void Every_kind_of_setting_is_read()
    {
        var options = Bind(out var problems,
            ("Destinations:archive:Url", "https://archive/dicomweb"), ("Destinations:archive:MaxBandwidthMbps", "2.5"),
                ("Destinations:archive:Authentication:Kind", "client-credentials"),
            ("Aes:ONE:Destinations", "archive, other"), ("Aes:ONE:AllowedCallers:0:Network", "10.0.0.0/8"),
                ("Aes:ONE:Find", "false"), ("LogFormat", "json"), ("Dimse:MaxAssociationsPerPeer", "4"));
        Assert.Empty(problems);
        var destination = options.Destinations["archive"];
        Assert.Equal(("https://archive/dicomweb", 2.5, AuthenticationKind.ClientCredentials),
            (destination.Url, destination.MaxBandwidthMbps, destination.Authentication.Kind));
        Assert.Equal(["archive", "other"], options.Aes["ONE"].Destinations);
        Assert.Equal(("10.0.0.0/8", false, LogFormat.Json, 4),
            (options.Aes["ONE"].AllowedCallers[0].Network, options.Aes["ONE"].Find, options.LogFormat, options.Dimse.MaxAssociationsPerPeer));
    }

    [Theory]
    [InlineData("Dimse:Prot", "104", "Gateway:Dimse:Prot")]
    [InlineData("Dimse:Port", "many", "\"many\"")]
    [InlineData("Dimse:Port", "70000", "Gateway:Dimse:Port")]
    [InlineData("Dimse", "104", "Gateway:Dimse")]
    [InlineData("Spool:Fsync", "sometimes", "Object")]
    [InlineData("Aes:ONE:Find", "maybe", "true or false")]
    public void What_cannot_be_read_is_named(string key, string value, string named)
    {
        Bind(out var problems, (key, value));
        Assert.Contains(named, Assert.Single(problems), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("archive", true)]
    [InlineData("Archive", false)] // the folder in the spool would be another one, which no destination empties
    [InlineData("other", false)]
    public void Names_of_destinations_are_compared_exactly(string name, bool isKnown)
    {
        var options = Bind(out _, ("Destinations:archive:Url", "https://archive"), ("Aes:ONE:Destinations:0", name));
        var problem = options.Problems().SingleOrDefault();
        Assert.Equal(isKnown, problem is null);
        if (!isKnown) Assert.Contains($"\"{name}\"", problem, StringComparison.Ordinal);
        Assert.Equal(isKnown, options.Destinations.ContainsKey(name));
    }

    [Fact]
    public void A_destination_is_named_once()
    {
        var options = Bind(out _, ("Destinations:archive:Url", "https://archive"), ("Aes:ONE:Destinations", "archive,archive"));
        Assert.Contains("twice", Assert.Single(options.Problems()), StringComparison.Ordinal);
    }

    [Fact]
    public void No_problem_repeats_a_password()
    {
        var options = Bind(out _,
            ("Destinations:archive:Url", "ftp://user:secret@archive"), ("Destinations:archive:ProxyUrl", "user:secret@proxy"),
                ("Destinations:archive:Authentication:Kind", "ClientCredentials"),
            ("Destinations:archive:Authentication:TokenUrl", "user:secret@login"), ("Destinations:archive:Authentication:ClientSecret", "secret"));
        var problems = options.Problems();
        Assert.True(problems.Count >= 3);
        Assert.DoesNotContain(problems, problem => problem.Contains("secret", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("http://0.0.0.0:8042", "", true)]
    [InlineData("http://0.0.0.0:8042", "10.0.0.1", false)] // a proxy with TLS is in front
    [InlineData("http://127.0.0.1:8042", "", false)]
    [InlineData("https://0.0.0.0:8042", "", false)]
    public void A_password_over_plain_http_from_other_machines_is_warned_of(string url, string proxies, bool isWarned)
    {
        var http = new HttpOptions { Url = url, PasswordHash = "x", TrustedProxies = proxies.Length > 0 ? [proxies] : [] };
        Assert.Equal(isWarned, http.SendsPasswordsInClear);
    }

    [Fact]
    public void Proxies_are_trusted_by_address_or_network()
    {
        var http = new HttpOptions { TrustedProxies = ["10.1.0.0/16", "192.0.2.7"] };
        Assert.Equal(["10.1.0.0/16", "192.0.2.7/32"], http.ForwardedHeaders().KnownIPNetworks.Select(network => network.ToString()));
        Assert.Contains(new HttpOptions { TrustedProxies = ["proxy"] }.Problems("Gateway:Http"), problem =>
            problem.Contains("\"proxy\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_part_that_cannot_follow_a_change_gives_those_before_it_the_old_options_back()
    {
        var users = new ConfigurationUsers();
        var applied = new List<string>();
        var (before, next) = (new GatewayOptions(), new GatewayOptions());
        users.Add(_ => Task.FromResult<IReadOnlyList<string>>(["A certificate is missing."]));
        users.Add(options => Done("second", options));
        users.Add(options => Done("third", options));
        users.Add(options => Done("fourth", options));
        // What can be given back goes first, so it stands last; one that cannot be given back is said as well.
        Assert.Equal(["A certificate is missing.", "The old options cannot be used again either; restart the gateway: The port is gone."],
            await users.ApplyAsync(before, next));
        Assert.Equal(["fourth next", "third next", "second next", "second before", "third before", "fourth before"], applied);

        Task<IReadOnlyList<string>> Done(string name, GatewayOptions options)
        {
            applied.Add(name + (ReferenceEquals(options, next) ? " next" : " before"));
            return Task.FromResult<IReadOnlyList<string>>(name == "third" && options == before ? ["The port is gone."] : []);
        }
    }

    [Theory]
    [InlineData("Aes:ONE:AllowedCallers", "MODALITY1")] // without a word anybody would be let in
    [InlineData("Aes:ONE:AllowedCallers:0", "MODALITY1")]
    [InlineData("Aes", "ONE")]
    [InlineData("RemoteAes", "PACS")]
    [InlineData("Destinations", "https://user:secret@archive")]
    [InlineData("Spool", "/var/spool")]
    [InlineData("Dimse:Address:0", "10.0.0.1")]
    [InlineData("Dimse:Port:0", "104")]
    [InlineData("Aes:ONE:Destinations:0:Name", "archive")]
    public void A_setting_in_a_form_that_it_does_not_have_is_named(string key, string value)
    {
        Bind(out var problems, (key, value));
        var problem = Assert.Single(problems);
        Assert.StartsWith("Gateway:" + key, problem, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_list_is_that_of_the_last_source_that_has_one()
    {
        Assert.Equal("cloud", Destinations(out _, Items("archive", "other"), [("Aes:ONE:Destinations", "cloud")]));
        Assert.Equal("archive,other", Destinations(out _, [("Aes:ONE:Destinations", "cloud")], Items("archive", "other")));
        Assert.Equal("cloud", Destinations(out _, Items("archive", "other"), Items("cloud")));
        // An empty one says nothing: a variable that was not filled in must not open an AE to all callers.
        Assert.Equal("archive,other", Destinations(out var problems, Items("archive", "other"), [("Aes:ONE:Destinations", ""), ("Aes:ONE:Find", "false")]));
        Assert.Empty(problems);
        var options = Bind(out _, [[("Aes:ONE:AllowedCallers:0:AeTitle", "A"), ("Aes:ONE:AllowedCallers:1:AeTitle", "B"), ("Aes:TWO:Find", "false")],
            [("Aes:ONE:AllowedCallers:0:Network", "10.0.0.0/8")]]);
        var caller = Assert.Single(options.Aes["ONE"].AllowedCallers);
        Assert.Equal(("", "10.0.0.0/8", false), (caller.AeTitle, caller.Network, options.Aes["TWO"].Find));
    }

    [Fact]
    public void A_list_is_given_as_one_value_or_by_items()
    {
        Destinations(out var problems, [("Aes:ONE:Destinations", "cloud"), .. Items("archive")]);
        Assert.Contains("Gateway:Aes:ONE:Destinations is \"cloud\", and Gateway:Aes:ONE:Destinations:0", Assert.Single(problems), StringComparison.Ordinal);
    }

    /// <summary>docs/gateway.md says so of whatever is the first when none is named.</summary>
    [Fact]
    public void Names_are_in_the_order_of_the_alphabet_and_numbers_come_first()
    {
        var options = Bind(out _, [[("Destinations:zeta:Url", "x"), ("Destinations:Alpha:Url", "x")], [("Destinations:beta:Url", "x"),
            ("Destinations:7:Url", "x"), ("Aes:TWO:Find", "true"), ("Aes:ONE:Find", "true")]]);
        Assert.Equal(["7", "Alpha", "beta", "zeta"], options.Destinations.Keys);
        Assert.Equal("ONE", options.Aes.Keys.First());
    }

    [Theory]
    [InlineData(12_000, true)]
    [InlineData(11_000, false)]
    public async Task Another_address_needs_a_restart_on_the_same_port_only(int port, bool isTaken)
    {
        var folder = Directory.CreateTempSubdirectory("options-").FullName;
        var file = Path.Combine(folder, "appsettings.json");
        File.WriteAllText(file, """{"Gateway":{"Destinations":{"archive":{"Url":"https://archive"}},"Dimse":{"Address":"127.0.0.1","Port":11000}}}""");
        var configuration = GatewayConfiguration.Load([], folder, [])!;
        File.WriteAllText(file, (await File.ReadAllTextAsync(file)).Replace("127.0.0.1", "127.0.0.2", StringComparison.Ordinal)
            .Replace("11000", $"{port}", StringComparison.Ordinal));
        Assert.Equal(isTaken, await configuration.ReloadAsync());
        Assert.Equal(isTaken ? "127.0.0.2" : "127.0.0.1", configuration.Current.Dimse.Address);
        Directory.Delete(folder, recursive: true);
    }

    private static (string Key, string Value)[] Items(params string[] destinations) =>
        [.. destinations.Select((name, i) => ($"Aes:ONE:Destinations:{i}", name))];

    private static string Destinations(out List<string> problems, params (string Key, string Value)[][] sources) =>
        string.Join(',', Bind(out problems, sources).Aes["ONE"].Destinations);

    private static GatewayOptions Bind(out List<string> problems, params (string Key, string Value)[] settings) => Bind(out problems, [settings]);

    private static GatewayOptions Bind(out List<string> problems, (string Key, string Value)[][] sources)
    {
        var options = new GatewayOptions();
        problems = [];
        new OptionsBinder([.. sources.Select(settings => new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(item => new KeyValuePair<string, string?>("Gateway:" + item.Key, item.Value))).Build())], problems)
            .Bind("Gateway", options);
        return options;
    }
}
