using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;

namespace DicomServerless.EdgeGateway.Hosting;

/// <summary>
/// Fills options from a section of the configuration and collects every problem with its key, its value and what to do about it. A key that no option has is a
/// problem too, and so is a value in a form that its option does not have: either would otherwise be silently without effect.
/// </summary>
/// <param name="sources">Where the configuration comes from, later ones over earlier ones.</param>
/// <param name="problems">Gets the problems.</param>
[UnconditionalSuppressMessage("Trimming", "IL2070", Justification = "The options' assembly is a trimmer root: every property of every option is kept.")]
[UnconditionalSuppressMessage("Trimming", "IL2072", Justification = "As above.")]
[UnconditionalSuppressMessage("Trimming", "IL2075", Justification = "As above.")]
[UnconditionalSuppressMessage("Trimming", "IL2067", Justification = "As above.")]
internal sealed class OptionsBinder(IReadOnlyList<IConfiguration> sources, List<string> problems)
{
    /// <summary>
    /// Fills an object's settable public properties: text, numbers, flags, enumerations, lists of texts or objects, dictionaries with names as keys, nested
    /// options.
    /// </summary>
    /// <param name="path">The section, such as <c>Gateway</c>.</param>
    /// <param name="target">The object.</param>
    public void Bind(string path, object target)
    {
        var merged = new ConfigurationBuilder();
        foreach (var source in sources) merged.AddConfiguration(source);
        Bind(merged.Build().GetSection(path), target);
    }

    private void Bind(IConfigurationSection section, object target)
    {
        var properties = target.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.CanWrite).ToDictionary(property => property.Name, StringComparer.OrdinalIgnoreCase);
        foreach (var child in section.GetChildren())
        {
            if (!properties.TryGetValue(child.Key, out var property))
                problems.Add($"{child.Path} is not a setting: remove it, or use one of {string.Join(", ", properties.Keys.Order(StringComparer.Ordinal))}.");
            else if (Read(child, property.PropertyType, property.GetValue(target), property) is { } value) property.SetValue(target, value);
        }
    }

    // Null when nothing can be set.
    private object? Read(IConfigurationSection section, Type type, object? current, PropertyInfo property)
    {
        var target = Nullable.GetUnderlyingType(type) ?? type;
        if (target == typeof(string) || target.IsPrimitive || target.IsEnum)
        {
            if (section.GetChildren().FirstOrDefault() is { } below) problems.Add($"{below.Path} is not a setting: {section.Path} is one value.");
            return target == typeof(string) ? section.Value ?? "" : ReadScalar(section, target, current, property);
        }
        if (target.IsGenericType && target.GetGenericTypeDefinition() == typeof(List<>)) return ReadList(section, target, property);
        if (target.IsGenericType && target.GetGenericTypeDefinition() == typeof(Dictionary<,>)) return ReadDictionary(section, target, property);
        var nested = current ?? Activator.CreateInstance(target)!;
        if (section.Value is { Length: > 0 } text) problems.Add($"{section.Path} is \"{text}\": it is a section, not a value: set the keys below it.");
        Bind(section, nested);
        return nested;
    }

    private object? ReadScalar(IConfigurationSection section, Type type, object? current, PropertyInfo property)
    {
        if (section.Value is not { Length: > 0 } text) return null; // the default
        var expected = type.IsEnum ? "one of " + string.Join(", ", Enum.GetNames(type))
            : type == typeof(bool) ? "true or false"
            : type == typeof(double) ? "a number, such as 2.5" : "a whole number";
        object? value = null;
        if (type.IsEnum)
            value = Enum.TryParse(type, text.Replace("-", "", StringComparison.Ordinal), ignoreCase: true, out var named)
            && Enum.IsDefined(type, named) ? named : null;
        else if (type == typeof(bool)) value = bool.TryParse(text, out var flag) ? flag : null;
        else if (type == typeof(int)) value = int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;
        else if (type == typeof(long)) value = long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;
        else if (type == typeof(double))
            value = double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            ? number : null;
        if (value is null)
            problems.Add($"{section.Path} is \"{text}\": set it to {expected}, or remove it for the "
                + $"default{(current is null ? "" : FormattableString.Invariant($", {current}"))}.");
        else if (property.GetCustomAttribute<RangeAttribute>() is { } range && !range.IsValid(value))
        {
            problems.Add($"{section.Path} is \"{text}\": {range.FormatErrorMessage(section.Key)}");
            return null;
        }
        return value;
    }

    // A list replaces the default list, and that of an earlier source: merged item by item, as .NET does it, a list of who may call would hold entries that its
    // last author does not see. In one value it may be given with commas, as environment variables like it.
    private IList ReadList(IConfigurationSection section, Type type, PropertyInfo property)
    {
        var list = (IList)Activator.CreateInstance(type)!;
        var item = type.GetGenericArguments()[0];
        var (text, children) = ("", new List<IConfigurationSection>());
        foreach (var source in sources)
        {
            var given = source.GetSection(section.Path);
            if (given.Value is not { Length: > 0 } && !given.GetChildren().Any()) continue;
            (text, children) = (given.Value ?? "", [.. given.GetChildren()]);
        }
        if (text.Length > 0 && item != typeof(string))
            problems.Add($"{section.Path} is \"{text}\": it is a list of sections, not a value: set the keys below {section.Path}:0, {section.Path}:1 …");
        else if (text.Length > 0 && children.Count > 0)
            problems.Add($"{section.Path} is \"{text}\", and {children[0].Path} is given beside it: give the list as one value or by items, not both.");
        else foreach (var part in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)) list.Add(part);
        foreach (var child in children)
            if (Read(child, item, null, property) is { } value) list.Add(value);
        return list;
    }

    // Names are compared exactly everywhere, as AE titles (PS3.5 6.2) and the folders of the spool are. The value is not shown: it may be the URL of a
    // destination, with a password in it.
    private IDictionary ReadDictionary(IConfigurationSection section, Type type, PropertyInfo property)
    {
        var dictionary = (IDictionary)Activator.CreateInstance(type, StringComparer.Ordinal)!;
        if (section.Value is { Length: > 0 })
            problems.Add($"{section.Path} has a value: it is a section of names: set the keys below {section.Path} and a name, or remove it.");
        foreach (var child in section.GetChildren())
            if (Read(child, type.GetGenericArguments()[1], null, property) is { } value) dictionary[child.Key] = value;
        return dictionary;
    }
}
