using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace DicomServerless.Functions.Hosting;

/// <summary>Reads one section of the configuration, key by key, and collects every problem with its key, its value and what to do about it.</summary>
/// <typeparam name="TOptions">The class with the options: its Range attributes say what is allowed.</typeparam>
internal sealed class SettingsReader<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] TOptions>(IConfiguration configuration,
    string section, List<string> problems)
{
    private readonly IConfigurationSection values = configuration.GetSection(section);
    private readonly HashSet<string> known = new(StringComparer.OrdinalIgnoreCase);

    public string? Text(string key, string? fallback)
    {
        known.Add(key);
        return values[key] is { Length: > 0 } text ? text : fallback;
    }

    public int Number(string key, int fallback) => Read(key, fallback, "a whole number", (string text, out int value) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value));

    public long Number(string key, long fallback) => Read(key, fallback, "a whole number", (string text, out long value) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value));

    public double Number(string key, double fallback) =>
        Read(key, fallback, "a number, such as 2.5", (string text, out double value) =>
            double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out value));

    public bool Flag(string key, bool fallback) => Read(key, fallback, "true or false", (string text, out bool value) => bool.TryParse(text, out value));

    public T Choice<T>(string key, T fallback) where T : struct, Enum =>
        Read(key, fallback, "one of " + string.Join(", ", Enum.GetNames<T>()), (string text, out T value) =>
            Enum.TryParse(text, true, out value) && Enum.IsDefined(value));

    /// <summary>Adds a problem of one key.</summary>
    public void Add(string key, string fix) => problems.Add($"{section}:{key} is \"{values[key]}\": {fix}");

    /// <summary>Adds a problem of a key whose value is a secret.</summary>
    public void AddSecret(string key, string fix) => problems.Add($"{section}:{key} is wrong: {fix}");

    /// <summary>Reports keys that nobody asked for: a misspelt option would otherwise be silently without effect.</summary>
    public void RefuseUnknown()
    {
        foreach (var child in values.GetChildren())
            if (!known.Contains(child.Key))
                problems.Add($"{section}:{child.Key} is not a setting: remove it, or use one of {string.Join(", ", known.Order(StringComparer.Ordinal))}.");
    }

    private delegate bool TryRead<T>(string text, out T value);

    private T Read<T>(string key, T fallback, string expected, TryRead<T> tryRead)
    {
        known.Add(key);
        if (values[key] is not { Length: > 0 } text) return fallback;
        if (tryRead(text, out var value))
        {
            var range = typeof(TOptions).GetProperty(key)?.GetCustomAttribute<RangeAttribute>();
            if (range?.IsValid(value) != false) return value;
            problems.Add($"{section}:{key} is \"{text}\": {range.FormatErrorMessage(key)}");
            return fallback;
        }
        problems.Add($"{section}:{key} is \"{text}\": set it to {expected}, or remove it for the default, {fallback}.");
        return fallback;
    }
}
