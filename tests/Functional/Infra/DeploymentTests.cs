using System.Text.Json;
using System.Text.RegularExpressions;
using DicomServerless.Archive;
using DicomServerless.Functions.Hosting;
using DicomServerless.Shared;
using DicomServerless.Storage;
using Microsoft.Extensions.Configuration;

namespace DicomServerless.Functional.Infra;

/// <summary>What <c>infra/main.bicep</c> makes: who may do what, how storage and the app are set up, and that the program can work with it.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed partial class DeploymentTests
{
    private const string Client = "33333333-3333-3333-3333-333333333333";
    private const string Accounts = "Microsoft.Storage/storageAccounts", Containers = Accounts + "/blobServices/containers";
    private const string Queues = Accounts + "/queueServices/queues", Tables = Accounts + "/tableServices/tables";
    private const string Subscriptions = "Microsoft.EventGrid/systemTopics/eventSubscriptions";

    // Built-in roles, the same in every tenant.
    private static readonly Dictionary<string, string> Roles = new()
    {
        ["b7e6dc6d-f1e8-4753-8033-0f276bb0955b"] = "Storage Blob Data Owner",
        ["ba92f5b4-2d11-453d-a403-e96b0029c9fe"] = "Storage Blob Data Contributor",
        ["974c5e8b-45b9-4653-ba55-5f855dd0fb88"] = "Storage Queue Data Contributor",
        ["c6a89b2d-59bc-44d0-9896-0f6e12d7b80a"] = "Storage Queue Data Message Sender",
        ["0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3"] = "Storage Table Data Contributor",
        ["3913510d-42f4-4e42-8a64-420c390055eb"] = "Monitoring Metrics Publisher",
    };

    private static readonly Lazy<Task<Deployment>> Default = new(() => PredictAsync());

    [Fact]
    public async Task Each_identity_has_the_roles_that_it_needs_where_it_needs_them_and_no_others()
    {
        var deployment = await Default.Value;
        var (data, host) = (deployment.Single(Accounts, "dicomdata").At("id"), deployment.Single(Accounts, "dicomhost").At("id"));
        const string app = "[identity.principalId]";
        const string topic = "[reference('Microsoft.EventGrid/systemTopics/dicom-events', '2025-02-15', 'full').identity.principalId]";
        string[] expected =
        [
            $"{data}: Storage Blob Data Contributor for {app}",
            $"{data}: Storage Queue Data Contributor for {app}",
            $"{data}: Storage Table Data Contributor for {app}",
            $"{host}: Storage Blob Data Owner for {app}",
            $"{host}: Storage Queue Data Contributor for {app}",
            $"{host}: Storage Table Data Contributor for {app}",
            $"Microsoft.Insights/components/dicom-insights: Monitoring Metrics Publisher for {app}",
            $"resourceId('{Queues}', dataStorage.accountName, 'default', dataStorage.eventsQueueName): Storage Queue Data Message Sender for {topic}",
            $"resourceId('{Containers}', dataStorage.accountName, 'default', dataStorage.deadLetterContainerName): Storage Blob Data Contributor for {topic}",
        ];
        var assignments = deployment.OfType("Microsoft.Authorization/roleAssignments").ToList();
        Assert.Equal(expected.Order(StringComparer.Ordinal), assignments.Select(Assignment).Order(StringComparer.Ordinal));
        Assert.All(assignments, assignment => Assert.Equal("ServicePrincipal", assignment.At("properties.principalType")));
    }

    [Theory]
    [InlineData("data")]
    [InlineData("host")]
    public async Task An_account_has_no_keys_and_nothing_public_and_takes_tls_only(string account)
    {
        var storage = (await Default.Value).Single(Accounts, "dicom" + account);
        Assert.Equal("false", storage.At("properties.allowSharedKeyAccess"));
        Assert.Equal("false", storage.At("properties.allowBlobPublicAccess"));
        Assert.Equal("TLS1_2", storage.At("properties.minimumTlsVersion"));
        Assert.Equal("true", storage.At("properties.supportsHttpsTrafficOnly"));
    }

    [Fact]
    public async Task No_container_is_public_and_deleted_blobs_can_be_brought_back()
    {
        var deployment = await Default.Value;
        Assert.Equal(2, deployment.OfType(Accounts).Count());
        Assert.All(deployment.OfType(Containers), container => Assert.Equal("None", container.At("properties.publicAccess")));
        var data = deployment.Single(Accounts + "/blobServices", "dicomdata");
        Assert.Equal(["days=7", "enabled=true"], data.Pairs("properties.deleteRetentionPolicy"));
        Assert.Equal(["days=7", "enabled=true"], data.Pairs("properties.containerDeleteRetentionPolicy"));
    }

    [Fact]
    public async Task Containers_tables_and_queues_are_those_that_the_program_opens()
    {
        var deployment = await Default.Value;
        var problems = new List<string>();
        var (stores, events, deadLetters, uploads) = StorageConnection.Open(Configuration(deployment), problems)!;
        Assert.Empty(problems);
        Assert.Equal(Sorted([.. ((IBlobContainer[])[stores.Dicom, stores.Derived, stores.Inbox, stores.Rejected, deadLetters!, uploads!.Container])
            .Select(container => container.Name)]), Names(deployment, Containers));
        Assert.Equal(Sorted([.. ((ITable[])[stores.Instances, stores.Studies, stores.Keys, stores.Uids, stores.Journal]).Select(table => table.Name)]),
            Names(deployment, Tables));
        Assert.Equal(Sorted([events!.Name, events.Name + "-poison"]), Names(deployment, Queues));
    }

    [Fact]
    public async Task App_settings_are_these_and_no_others()
    {
        string[] expected =
        [
            "APPLICATIONINSIGHTS_AUTHENTICATION_STRING=[format('ClientId={0};Authorization=AAD', identity.clientId)]",
            "APPLICATIONINSIGHTS_CONNECTION_STRING=[logs.connectionString]",
            "Archive__OnStore=Commit",
            "AzureWebJobs.eventsGrid.Disabled=true",
            "AzureWebJobsDisableHomepage=true",
            "AzureWebJobsStorage__accountName=[hostStorage.accountName]",
            "AzureWebJobsStorage__clientId=[identity.clientId]",
            "AzureWebJobsStorage__credential=managedidentity",
            "DataStorage__blobServiceUri=[dataStorage.blobUri]",
            "DataStorage__clientId=[identity.clientId]",
            "DataStorage__credential=managedidentity",
            "DataStorage__queueServiceUri=[dataStorage.queueUri]",
            "DataStorage__tableServiceUri=[dataStorage.tableUri]",
            "EVENTS_QUEUE=[dataStorage.eventsQueueName]",
            // Both limits, or the program promises what the host refuses.
            "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT=104857600",
            "Http__CorsByPlatform=false",
            "Http__MaxBodyBytes=104857600",
            "SWEEP_CRON=0 * * * * *",
            "WEBSITE_USE_PLACEHOLDER_DOTNETISOLATED=0",
        ];
        Assert.Equal(expected, AppSettings(await Default.Value).Pairs("properties"));
    }

    [Theory]
    [InlineData("commit", "[]", IndexingOnStore.Commit, false)]
    [InlineData("event", "['https://viewer.example.org']", IndexingOnStore.Event, true)]
    public async Task The_program_takes_its_settings(string indexing, string origins, IndexingOnStore onStore, bool corsByPlatform)
    {
        var problems = new List<string>();
        var read = Settings.Read(
            Configuration(await PredictAsync($"param indexing = '{indexing}'", $"param allowedOrigins = {origins}")), isUnderHost: true, problems);
        Assert.Empty(problems);
        Assert.Equal(onStore, read.Archive.OnStore);
        Assert.Equal(100 << 20, read.Http.MaxBodyBytes);
        Assert.Equal(corsByPlatform, read.Http.CorsByPlatform);
        Assert.Equal("dicom-events", read.Events.Queue);
    }

    [Fact]
    public async Task Triggers_find_their_settings()
    {
        var settings = AppSettings(await Default.Value);
        // What the build tells the host of the functions.
        var functions = await File.ReadAllTextAsync(Path.Combine(Path.GetDirectoryName(FunctionsProcess.BuiltExecutable)!, "functions.metadata"));
        Assert.Equal(["EVENTS_QUEUE", "SWEEP_CRON"], Placeholder().Matches(functions).Select(match => match.Groups[1].Value).Order(StringComparer.Ordinal));
        Assert.All(Placeholder().Matches(functions), match => Assert.NotNull(settings.At("properties." + match.Groups[1].Value)));
        // The connection of the queue's trigger; the host reads its URI and its identity by these names.
        Assert.Contains("\"connection\": \"DataStorage\"", functions, StringComparison.Ordinal);
        Assert.All((string[])["queueServiceUri", "credential", "clientId"], name => Assert.NotNull(settings.At("properties.DataStorage__" + name)));
        // What is off by its name must bear it.
        var off = settings.Pairs("properties").Select(pair => Disabled().Match(pair)).Single(match => match.Success).Groups[1].Value;
        Assert.Contains($"\"name\": \"{off}\"", functions, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_app_runs_the_package_of_its_container_as_its_identity()
    {
        var deployment = await Default.Value;
        var app = deployment.Single("Microsoft.Web/sites");
        Assert.Equal(["name=dotnet-isolated", "version=10.0"], app.Pairs("properties.functionAppConfig.runtime"));
        Assert.Equal("functionapp,linux", app.At("kind"));
        Assert.Equal("UserAssigned", app.At("identity.type"));
        Assert.Equal(["[format('{0}', identity.id)]={}"], app.Pairs("identity.userAssignedIdentities"));
        Assert.Equal("blobContainer", app.At("properties.functionAppConfig.deployment.storage.type"));
        Assert.Equal("[hostStorage.deploymentContainerUrl]", app.At("properties.functionAppConfig.deployment.storage.value"));
        Assert.Equal(["type=UserAssignedIdentity", "userAssignedIdentityResourceId=[identity.id]"],
            app.Pairs("properties.functionAppConfig.deployment.storage.authentication"));
        Assert.Equal(["name=FC1", "tier=FlexConsumption"], deployment.Single("Microsoft.Web/serverfarms").Pairs("sku"));
        Assert.Equal(deployment.Single("Microsoft.Web/serverfarms").At("id"), app.At("properties.serverFarmId"));
        Assert.NotNull(deployment.Single(Containers, "deployment"));
        Assert.Equal("[format('https://{0}/dicomweb', app.hostName)]", deployment.Outputs.At("dicomWebUrl"));
    }

    [Fact]
    public async Task Modules_tell_others_the_names_of_what_they_make()
    {
        string[] parameters = ["param name = 'account'", "param location = 'westeurope'", "param appPrincipalId = 'app'"];
        var data = await Deployment.OfAsync("modules/data-storage.bicep", [.. parameters, "param allowedOrigins = []"]);
        Assert.Equal(
            [
                "accountName=account",
                $"blobUri=[{Endpoint("blob")}]",
                "deadLetterContainerName=dead-letter",
                "eventsQueueName=dicom-events",
                $"queueUri=[{Endpoint("queue")}]",
                $"tableUri=[{Endpoint("table")}]",
            ], data.Outputs.Pairs());
        var host = await Deployment.OfAsync("modules/host-storage.bicep", parameters);
        Assert.Equal(["accountName=account", $"deploymentContainerUrl=[format('{{0}}{{1}}', {Endpoint("blob")}, 'deployment')]"], host.Outputs.Pairs());

        static string Endpoint(string service) => $"reference('{Accounts}/account', '2025-06-01').primaryEndpoints.{service}";
    }

    [Fact]
    public async Task Instances_are_as_many_and_as_large_as_asked()
    {
        var byDefault = (await Default.Value).Single("Microsoft.Web/sites");
        Assert.Equal("2048", byDefault.At("properties.functionAppConfig.scaleAndConcurrency.instanceMemoryMB"));
        Assert.Equal("100", byDefault.At("properties.functionAppConfig.scaleAndConcurrency.maximumInstanceCount"));
        Assert.Empty(byDefault.All("properties.functionAppConfig.scaleAndConcurrency.alwaysReady"));
        var asked = (await PredictAsync("param alwaysReadyInstances = 2", "param instanceMemoryMB = 4096", "param maximumInstanceCount = 40"))
            .Single("Microsoft.Web/sites");
        Assert.Equal("4096", asked.At("properties.functionAppConfig.scaleAndConcurrency.instanceMemoryMB"));
        Assert.Equal("40", asked.At("properties.functionAppConfig.scaleAndConcurrency.maximumInstanceCount"));
        using var warm = JsonDocument.Parse(Assert.Single(asked.All("properties.functionAppConfig.scaleAndConcurrency.alwaysReady")));
        Assert.Equal(["instanceCount=2", "name=http"], new Resource(warm.RootElement).Pairs());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Callers_sign_in_with_tokens_of_this_tenant_for_this_app_unless_it_is_public(bool required)
    {
        var deployment = await PredictAsync($"param requireAuthentication = {(required ? "true" : "false")}");
        var authentication = deployment.Single("Microsoft.Web/sites/config", "authsettingsV2");
        Assert.Equal([$"enabled={(required ? "true" : "false")}"], authentication.Pairs("properties.platform"));
        Assert.Equal([$"requireAuthentication={(required ? "true" : "false")}", "unauthenticatedClientAction=Return401"],
            authentication.Pairs("properties.globalValidation"));
        const string directory = "properties.identityProviders.azureActiveDirectory";
        Assert.Equal("true", authentication.At(directory + ".enabled"));
        Assert.Equal(
            [
                "clientId=" + Client,
                "openIdIssuer=[format('{0}{1}/v2.0', environment().authentication.loginEndpoint, '22222222-2222-2222-2222-222222222222')]",
            ], authentication.Pairs(directory + ".registration"));
        Assert.Equal([Client, "api://" + Client], authentication.All(directory + ".validation.allowedAudiences"));
        Assert.Equal("false", authentication.At("properties.login.tokenStore.enabled"));
    }

    [Fact]
    public async Task Callers_sign_in_by_default_over_tls_and_nobody_deploys_with_a_password()
    {
        var deployment = await Default.Value;
        Assert.Equal("true", deployment.Single("Microsoft.Web/sites/config", "authsettingsV2").At("properties.platform.enabled"));
        Assert.Equal("true", deployment.Single("Microsoft.Web/sites").At("properties.httpsOnly"));
        Assert.Equal("1.2", deployment.Single("Microsoft.Web/sites").At("properties.siteConfig.minTlsVersion"));
        Assert.Equal(["ftp", "scm"], Names(deployment, "Microsoft.Web/sites/basicPublishingCredentialsPolicies"));
        Assert.All(deployment.OfType("Microsoft.Web/sites/basicPublishingCredentialsPolicies"), policy => Assert.Equal("false", policy.At("properties.allow")));
        Assert.Equal("true", deployment.Single("Microsoft.Insights/components").At("properties.DisableLocalAuth"));
    }

    [Fact]
    public async Task Origins_may_call_the_app_and_read_blobs_where_they_are_named()
    {
        var without = await Default.Value;
        Assert.Empty(without.Single("Microsoft.Web/sites").All("properties.siteConfig.cors.allowedOrigins"));
        Assert.Empty(without.Single(Accounts + "/blobServices", "dicomdata").All("properties.cors.corsRules"));
        var with = await PredictAsync("param allowedOrigins = ['https://viewer.example.org']");
        Assert.Equal(["https://viewer.example.org"], with.Single("Microsoft.Web/sites").All("properties.siteConfig.cors.allowedOrigins"));
        using var rule = JsonDocument.Parse(Assert.Single(with.Single(Accounts + "/blobServices", "dicomdata").All("properties.cors.corsRules")));
        var rules = new Resource(rule.RootElement);
        Assert.Equal(["https://viewer.example.org"], rules.All("allowedOrigins"));
        Assert.Equal(["GET", "HEAD", "OPTIONS"], rules.All("allowedMethods"));
    }

    [Fact]
    public async Task Events_of_blobs_that_others_put_or_delete_go_to_the_queue_and_undelivered_ones_to_the_dead_letters()
    {
        var deployment = await Default.Value;
        var topic = deployment.Single("Microsoft.EventGrid/systemTopics");
        Assert.Equal(["source=[resourceId('Microsoft.Storage/storageAccounts', dataStorage.accountName)]", "topicType=Microsoft.Storage.StorageAccounts"],
            topic.Pairs("properties"));
        Assert.Equal("SystemAssigned", topic.At("identity.type"));
        Assert.Equal(["dicom", "inbox"], Names(deployment, Subscriptions));
        Assert.All(deployment.OfType(Subscriptions), subscription =>
        {
            Assert.Equal($"/blobServices/default/containers/{NameOf(subscription)}/blobs/", subscription.At("properties.filter.subjectBeginsWith"));
            Assert.Equal(["Microsoft.Storage.BlobCreated", "Microsoft.Storage.BlobDeleted"], subscription.All("properties.filter.includedEventTypes"));
            Assert.Equal("EventGridSchema", subscription.At("properties.eventDeliverySchema"));

            const string delivery = "properties.deliveryWithResourceIdentity", deadLetter = "properties.deadLetterWithResourceIdentity";
            Assert.Equal("SystemAssigned", subscription.At(delivery + ".identity.type"));
            Assert.Equal("StorageQueue", subscription.At(delivery + ".destination.endpointType"));
            Assert.Equal(
                [
                    "queueMessageTimeToLiveInSeconds=-1",
                    "queueName=[dataStorage.eventsQueueName]",
                    "resourceId=[resourceId('Microsoft.Storage/storageAccounts', dataStorage.accountName)]",
                ], subscription.Pairs(delivery + ".destination.properties"));
            Assert.Equal("SystemAssigned", subscription.At(deadLetter + ".identity.type"));
            Assert.Equal("StorageBlob", subscription.At(deadLetter + ".deadLetterDestination.endpointType"));
            Assert.Equal(
                [
                    "blobContainerName=[dataStorage.deadLetterContainerName]",
                    "resourceId=[resourceId('Microsoft.Storage/storageAccounts', dataStorage.accountName)]",
                ], subscription.Pairs(deadLetter + ".deadLetterDestination.properties"));
            Assert.Equal(["eventTimeToLiveInMinutes=1440", "maxDeliveryAttempts=30"], subscription.Pairs("properties.retryPolicy"));
        });
    }

    [Theory]
    [InlineData("commit", false, false)]
    [InlineData("commit", true, true)]
    [InlineData("event", true, false)]
    public async Task Own_events_are_left_out_only_where_they_index_nothing(string indexing, bool asked, bool leftOut)
    {
        var deployment = await PredictAsync($"param indexing = '{indexing}'", $"param filterOwnEvents = {(asked ? "true" : "false")}");
        Assert.Equal(2, deployment.OfType(Subscriptions).Count());
        Assert.All(deployment.OfType(Subscriptions), subscription =>
        {
            var filters = subscription.All("properties.filter.advancedFilters");
            Assert.Equal(leftOut ? 1 : 0, filters.Length);
            if (!leftOut) return;
            using var json = JsonDocument.Parse(filters[0]);
            var filter = new Resource(json.RootElement);
            Assert.Equal("StringNotBeginsWith", filter.At("operatorType"));
            Assert.Equal("data.clientRequestId", filter.At("key"));
            Assert.Equal([BlobMetadata.OwnRequest], filter.All("values"));
        });
    }

    private static Task<Deployment> PredictAsync(params string[] parameters) =>
        Deployment.OfAsync("main.bicep", ["param name = 'dicom'", $"param authClientId = '{Client}'", .. parameters]);

    private static Resource AppSettings(Deployment deployment) => deployment.Single("Microsoft.Web/sites/config", "appsettings");

    // As the program reads its environment, with what modules would give.
    private static IConfiguration Configuration(Deployment deployment) => new ConfigurationBuilder().AddInMemoryCollection(AppSettings(deployment)
        .Pairs("properties").Select(pair => pair.Split('=', 2)).Select(pair => KeyValuePair.Create(pair[0].Replace("__", ":", StringComparison.Ordinal),
            (string?)(pair[1] switch
            {
                "[dataStorage.blobUri]" => "https://account.blob.core.windows.net/",
                "[dataStorage.queueUri]" => "https://account.queue.core.windows.net/",
                "[dataStorage.tableUri]" => "https://account.table.core.windows.net/",
                "[dataStorage.eventsQueueName]" => "dicom-events",
                "[identity.clientId]" => Client,
                var text => text,
            })))).Build();

    private static string Assignment(Resource assignment)
    {
        var id = assignment.At("id")!;
        var scope = Scope().Match(id);
        Assert.True(scope.Success, id);
        var role = assignment.At("properties.roleDefinitionId")!.Split('/')[^1];
        return $"{scope.Groups[1].Value.Trim('\'')}: {Roles.GetValueOrDefault(role, role)} for {assignment.At("properties.principalId")}";
    }

    private static string NameOf(Resource resource) => resource.At("name")!.Split('/')[^1];

    // Without the container of the package, which is the host's.
    private static string[] Names(Deployment deployment, string type) =>
        Sorted([.. deployment.OfType(type).Where(resource => !resource.At("name")!.StartsWith("dicomhost", StringComparison.Ordinal)).Select(NameOf)]);

    private static string[] Sorted(string[] names) => [.. names.Order(StringComparer.Ordinal)];

    // An assignment's id begins with the resource that it is for; where the name of that is not known yet, the compiler first asks whether it is the root.
    [GeneratedRegex(@"^\[(?:extensionResourceId\(|if\(equals\()('[^']+'|resourceId\([^()]+\))")]
    private static partial Regex Scope();

    [GeneratedRegex("%([A-Z_]+)%")]
    private static partial Regex Placeholder();

    [GeneratedRegex(@"^AzureWebJobs\.(.+)\.Disabled=true$")]
    private static partial Regex Disabled();
}
