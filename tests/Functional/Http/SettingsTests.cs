using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using DicomServerless.Archive;
using DicomServerless.Dicom;
using DicomServerless.Functions.Hosting;
using DicomServerless.Shared;
using Microsoft.Extensions.Configuration;

namespace DicomServerless.Functional.Http;

/// <summary>Every option that exists can be set, acts on its property, and is documented.</summary>
public sealed class SettingsTests
{
    public static TheoryData<string, string> Options()
    {
        var data = new TheoryData<string, string>();
        foreach (var (section, type) in new[] { ("Archive", typeof(ArchiveOptions)), ("Archive:Limits", typeof(DicomLimits)),
            ("Http", typeof(HttpOptions)), ("Events", typeof(EventOptions)), ("Viewer", typeof(ViewerOptions)) })
            foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
                // those two are sections of their own
                if (property.CanWrite && property.Name is not ("QueryTags" or "Limits")) data.Add(section, property.Name);
        return data;
    }

    [Theory]
    [MemberData(nameof(Options))]
    public void It_can_be_set_and_is_documented(string section, string name)
    {
        var defaults = Read(new());
        var before = ValueOf(defaults, section, name);
        var (text, after) = Other(section, name, before);
        var problems = new List<string>();
        Assert.Equal(after, ValueOf(Read(new() { [$"{section}:{name}"] = text }, problems), section, name));
        Assert.Empty(problems);
        var documentation = File.ReadAllText(Path.Combine(Repository.Root, "docs/configuration.md"));
        Assert.True(documentation.Contains($"`{name}`", StringComparison.Ordinal) || documentation.Contains($":{name}`", StringComparison.Ordinal),
            $"{name} is not in docs/configuration.md.");
    }

    [Fact]
    public void A_folder_for_bulk_data_that_cannot_be_written_to_is_told_with_its_key_and_the_fix()
    {
        var problems = new List<string>();
        var missing = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        Read(new() { ["Archive:BulkSpoolPath"] = missing }, problems);
        var problem = Assert.Single(problems);
        Assert.StartsWith($"Archive:BulkSpoolPath is \"{missing}\": no file can be made there", problem, StringComparison.Ordinal);
        Assert.Contains("give a folder that is there", problem, StringComparison.Ordinal);
        Read(new() { ["Archive:BulkSpoolPath"] = typeof(SettingsTests).Assembly.Location }, problems); // a file
        Assert.Equal(2, problems.Count);

        Directory.CreateDirectory(missing);
        try
        {
            Read(new() { ["Archive:BulkSpoolPath"] = missing }, problems);
            Assert.Equal(2, problems.Count);
            Assert.Empty(Directory.EnumerateFileSystemEntries(missing));
        }
        finally
        {
            Directory.Delete(missing);
        }
    }

    private static Settings Read(Dictionary<string, string?> values, List<string>? problems = null) =>
        Settings.Read(new ConfigurationBuilder().AddInMemoryCollection(values).Build(), isUnderHost: false, problems ?? []);

    private static object? ValueOf(Settings settings, string section, string name)
    {
        object options = section switch
        {
            "Archive" => settings.Archive,
            "Archive:Limits" => settings.Archive.Limits,
            "Http" => settings.Http,
            "Events" => settings.Events,
            _ => settings.Viewer,
        };
        var value = options.GetType().GetProperty(name)!.GetValue(options);
        return value is byte[] bytes ? Convert.ToBase64String(bytes) : value;
    }

    // Another value that is allowed, as text and as the property has it.
    private static (string Text, object Value) Other(string section, string name, object? before)
    {
        switch (name)
        {
            case "CursorKey": return (Convert.ToBase64String(new byte[32]), Convert.ToBase64String(new byte[32]));
            case "BulkSpoolPath": return (AppContext.BaseDirectory, AppContext.BaseDirectory);
            case "ConfigurationFile": return (typeof(SettingsTests).Assembly.Location, typeof(SettingsTests).Assembly.Location);
            case "PublicUrl": return ("https://pacs.example.org/dicom", "https://pacs.example.org/dicom");
            case "PathBase": return ("/pacs", "/pacs");
            case "Urls": return ("http://127.0.0.1:9", "http://127.0.0.1:9");
            case "TrustedProxies": return ("10.0.0.0/8", "10.0.0.0/8");
            case "CorsOrigins": return ("https://viewer.example.org", "https://viewer.example.org");
            case "FallbackCharacterSet": return ("ISO_IR 144", "ISO_IR 144");
        }
        var range = (section == "Archive:Limits" ? typeof(DicomLimits) : section == "Archive" ? typeof(ArchiveOptions)
            : section == "Http" ? typeof(HttpOptions) : typeof(EventOptions)).GetProperty(name)?.GetCustomAttribute<RangeAttribute>();
        return before switch
        {
            bool flag => (flag ? "false" : "true", !flag),
            int number => Number(number, value => (int)value),
            long number => Number(number, value => (long)value),
            double number => Number(number, value => (double)value),
            Enum choice => Enum.GetValues(choice.GetType()).Cast<object>().First(value => !value.Equals(choice)) is var other
                ? (other.ToString()!, other) : default,
            _ => ("other", "other"),
        };

        (string, object) Number(object now, Func<decimal, object> convert)
        {
            var current = Convert.ToDecimal(now, CultureInfo.InvariantCulture);
            var next = range is not null && current >= Convert.ToDecimal(range.Maximum, CultureInfo.InvariantCulture) ? current - 1 : current + 1;
            return (next.ToString(CultureInfo.InvariantCulture), convert(next));
        }
    }
}
