import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.jayway.jsonpath.Configuration;
import com.jayway.jsonpath.JsonPath;
import com.jayway.jsonpath.spi.cache.CacheProvider;
import com.jayway.jsonpath.spi.cache.NOOPCache;
import com.jayway.jsonpath.spi.json.JacksonJsonProvider;
import com.jayway.jsonpath.spi.mapper.JacksonMappingProvider;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The oracle: evaluates each line of a file, {"path": ..., "document": ...}, and prints {"value": ...} for it, or
 * {"error": ...} with the exception's class. Every path is compiled anew, since a compiled one keeps state.
 */
public class Evaluate {
    public static void main(String[] arguments) throws Exception {
        CacheProvider.setCache(new NOOPCache());
        ObjectMapper mapper = new ObjectMapper();
        Configuration configuration = Configuration.builder()
            .jsonProvider(new JacksonJsonProvider())
            .mappingProvider(new JacksonMappingProvider())
            .build();
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        for (String line : Files.readAllLines(Path.of(arguments[0]))) {
            JsonNode test = mapper.readTree(line);
            ObjectNode answer = mapper.createObjectNode();
            try {
                Object document = mapper.treeToValue(test.get("document"), Object.class);
                Object value = JsonPath.compile(test.get("path").asText()).read(document, configuration);
                answer.set("value", mapper.valueToTree(value));
            } catch (Exception | StackOverflowError error) {
                answer.put("error", error.getClass().getSimpleName());
            }
            out.println(mapper.writeValueAsString(answer));
        }
        out.flush();
    }
}
